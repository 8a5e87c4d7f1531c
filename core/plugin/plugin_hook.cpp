// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/plugin_hook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "core/plugin/plugin_text.hpp"
#include "core/record/declared_fields.hpp"

// A flow in one call.
struct nfd_flow {
    nfstreamd::PluginHook* hook;
    const nfstreamd::FlowView* view;      // null at the end
    const nfstreamd::FlowRecord* record;  // at the end
    nfd_value* values;
    std::int32_t verdict;
};

namespace nfstreamd {
namespace {

constexpr std::string_view kPrefix = "udps.";
constexpr std::size_t kLargestState = 1u << 20;
constexpr std::size_t kLargestChunk = 64u << 20;
constexpr std::size_t kLine = 64;  // of the cache
constexpr std::uint8_t kNoMac[6] = {};
constexpr std::uint32_t kAllParts = ~std::uint32_t{0};

// Of a packet, whose time is never negative.
std::uint64_t to_ms(TimestampNs time) {
    return static_cast<std::uint64_t>(time) / 1'000'000;
}

// Of a field of a later version of the interface, or an earlier one: what it has.
nfd_field whole(const nfd_field& given) {
    nfd_field field{};
    std::memcpy(&field, &given, std::min<std::size_t>(given.struct_size, sizeof field));
    return field;
}

}  // namespace

struct PluginHook::Calls {
    static PluginHook& self(const nfd_host* host) { return *reinterpret_cast<const Host*>(host)->self; }

    static void reserve_flow_state(const nfd_host* host, std::size_t octets) noexcept {
        PluginHook& hook = self(host);
        if (!hook.opening_) return;
        if (octets > kLargestState)
            return hook.fault(fmt::format("wants {} octets for each flow; {} are the most", octets, kLargestState));
        hook.state_octets_ = (octets + 15) / 16 * 16;
    }
    static int declare_field(const nfd_host* host, const nfd_field* field) noexcept {
        PluginHook& hook = self(host);
        if (!hook.opening_) return -1;
        return hook.declare(whole(*field));
    }
    static int find_column(const nfd_host* host, const char* column) noexcept {
        PluginHook& hook = self(host);
        return hook.opening_ ? hook.find(column) : -1;
    }
    static void log(const nfd_host* host, std::uint32_t level, const char* message) noexcept {
        PluginHook& hook = self(host);
        const std::int64_t held_back = level == NFD_LOG_DEBUG || hook.opening_ ? 0 : hook.plugin_log_.admit();
        if (held_back < 0) return;
        const std::string text = plugin_text(message != nullptr ? message : "");
        const auto write = level == NFD_LOG_DEBUG     ? &Logger::debug
                           : level == NFD_LOG_INFO    ? &Logger::info
                           : level == NFD_LOG_WARNING ? &Logger::warning
                                                      : &Logger::error;
        (hook.logger_.*write)(
            "plugin says",
            {{"plugin", hook.options_.name}, {"meter", hook.meter_}, {"message", text}, {"held_back", held_back}});
    }
    static void explain(const nfd_host* host, const char* reason) noexcept {
        self(host).reason_ = plugin_text(reason != nullptr ? reason : "");
    }

    static int read(const nfd_flow* flow, int number, nfd_value* value) noexcept {
        *value = {};
        const auto& columns = flow->hook->columns_;
        if (number < 0 || static_cast<std::size_t>(number) >= columns.size()) return NFD_FAILED;
        const Column& column = columns[static_cast<std::size_t>(number)];
        if (column.counted != Counted::kNo && flow->view != nullptr) {
            value->type = NFD_UNSIGNED;
            value->as.u = (column.counted != Counted::kReverse ? flow->view->forward_packets : 0) +
                          std::uint64_t{column.counted != Counted::kForward ? flow->view->reverse_packets : 0};
            return NFD_OK;
        }
        const FlowRecord& record = flow->view != nullptr ? flow->view->record() : *flow->record;
        *value = plugin_value(column.field->value(record));
        return NFD_OK;
    }
    static int set(nfd_flow* flow, int number, const nfd_value* value) noexcept {
        const auto& fields = flow->hook->fields_;
        if (number < 0 || static_cast<std::size_t>(number) >= fields.size()) return NFD_FAILED;
        nfd_value& there = flow->values[number];
        if (value->type != NFD_ABSENT && !is_sound(fields[static_cast<std::size_t>(number)].type, *value))
            return NFD_FAILED;
        release(there);
        there = kept(*value);
        if (flow->view != nullptr) flow->view->describer->forget();
        return NFD_OK;
    }
    static int get(const nfd_flow* flow, int number, nfd_value* value) noexcept {
        *value = {};
        if (number < 0 || static_cast<std::size_t>(number) >= flow->hook->fields_.size()) return NFD_FAILED;
        *value = flow->values[number];
        return NFD_OK;
    }
    static int expire(nfd_flow* flow, std::int32_t expiration_id) noexcept {
        if (flow->view == nullptr || expiration_id >= 0) return NFD_FAILED;
        flow->verdict = expiration_id;
        return NFD_OK;
    }
    static std::uint64_t packets(const nfd_flow* flow) noexcept {
        return flow->view != nullptr ? flow->view->packets() : flow->record->packets();
    }
};

PluginHook::PluginHook(const PluginOptions& options, std::shared_ptr<FlowPluginLibrary> library,
                       const FieldSelection& before, const std::string& meter,
                       std::shared_ptr<ExtensionCounters> counters, Logger& logger)
    : options_(options),
      meter_(meter),
      library_(std::move(library)),
      plugin_(library_->plugin()),
      before_(before),
      logger_(logger),
      guard_(options_.name, meter_, options_.time_budget, std::move(counters), logger),
      parts_(plugin_.packet_parts != 0 ? plugin_.packet_parts : kAllParts) {
    shown_.struct_size = sizeof shown_;
    host_.self = this;
    host_.c = {.abi = NFSTREAMD_PLUGIN_ABI,
               .struct_size = sizeof(nfd_host),
               .name = options_.name.c_str(),
               .settings = options_.settings.c_str(),
               .meter = meter_.c_str(),
               .checks = meter_.empty(),
               .reserved = 0,
               .reserve_flow_state = Calls::reserve_flow_state,
               .declare_field = Calls::declare_field,
               .find_column = Calls::find_column,
               .log = Calls::log,
               .explain = Calls::explain,
               .read = Calls::read,
               .set = Calls::set,
               .get = Calls::get,
               .expire = Calls::expire,
               .packets = Calls::packets};
}

PluginHook::~PluginHook() {
    if (!opened_) return;
    try {
        plugin_.close(instance_);
    } catch (...) {
        logger_.warning("plugin threw an exception as it was closed", {{"plugin", options_.name}, {"meter", meter_}});
    }
    guard_.closed();
}

Result<std::unique_ptr<PluginHook>> PluginHook::open(const PluginOptions& options,
                                                     std::shared_ptr<FlowPluginLibrary> library,
                                                     const FieldSelection& before, const std::string& meter,
                                                     std::shared_ptr<ExtensionCounters> counters, Logger& logger) {
    std::unique_ptr<PluginHook> hook(
        new PluginHook(options, std::move(library), before, meter, std::move(counters), logger));
    if (Status status = hook->start(); !status) return status.error();
    return hook;
}

Status PluginHook::start() {
    const auto failure = [this](const std::string& what) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("plugin {}: {}", options_.name, what), ""};
    };
    opening_ = true;
    int result = NFD_FAILED;
    try {
        result = plugin_.open(&host_.c, &instance_);
    } catch (...) {
        reason_ = "open() threw an exception";
    }
    opening_ = false;
    opened_ = result == NFD_OK;
    if (!fault_.empty()) return failure(fault_);
    if (!opened_) return failure(reason_.empty() ? std::string("open() failed without a reason") : reason_);
    for (const ConfiguredElement& element : options_.elements)
        if (std::none_of(fields_.begin(), fields_.end(), [&](const PluginField& field) {
                return field.element->column.substr(kPrefix.size()) == element.field;
            }))
            return failure(fmt::format("elements: it has no field \"{}\"", element.field));
    const std::size_t octets = sizeof(Slot) + state_octets_ + fields_.size() * sizeof(nfd_value);
    stride_ = (octets + kLine - 1) / kLine * kLine;
    while (stride_ << chunk_bits_ > kLargestChunk) --chunk_bits_;
    chunk_mask_ = (1u << chunk_bits_) - 1;
    guard_.opened();
    return ok();
}

void PluginHook::fault(std::string message) {
    if (fault_.empty()) fault_ = std::move(message);
}

int PluginHook::declare(const nfd_field& given) {
    const auto text = [](const char* from) { return plugin_text(from != nullptr ? from : ""); };
    const std::string name = text(given.name), column = std::string(kPrefix) + name;
    const auto refuse = [&](const std::string& why) {
        fault(fmt::format("field \"{}\": {}", name, why));
        return -1;
    };
    const auto type = field_type(given.type);
    if (!type) return refuse(fmt::format("there is no type {}", given.type));
    const auto is_this = [&](const InformationElement* element) { return element->column == column; };
    if (std::any_of(fields_.begin(), fields_.end(), [&](const auto& field) { return is_this(field.element); }))
        return refuse("is declared twice");
    if (std::any_of(before_.begin(), before_.end(), is_this)) return refuse("is declared by a plugin before this one");
    IeId ie{given.element_pen, static_cast<std::uint16_t>(given.element_id)};
    if (given.element_id > 32767) return refuse("an element has a number from 1 to 32767");
    const auto configured = std::find_if(options_.elements.begin(), options_.elements.end(),
                                         [&](const auto& element) { return element.field == name; });
    if (configured != options_.elements.end()) ie = configured->ie;
    const auto element = declare_field({.column = column,
                                        .type = *type,
                                        .description = text(given.description),
                                        .units = text(given.units),
                                        .element = text(given.element_name),
                                        .ie = ie});
    if (!element) {
        fault(element.error().message);
        return -1;
    }
    fields_.push_back({element.value(), given.type, given.is_volatile != 0});
    return static_cast<int>(fields_.size() - 1);
}

int PluginHook::find(std::string_view name) {
    const InformationElement* field = find_field(name);
    for (const InformationElement* element : before_)
        if (element->column == name) field = element;
    for (const PluginField& own : fields_)
        if (own.element->column == name) field = own.element;
    if (field == nullptr) return -1;
    const Counted counted = field->column == "bidirectional_packets" ? Counted::kAll
                            : field->column == "src2dst_packets"     ? Counted::kForward
                            : field->column == "dst2src_packets"     ? Counted::kReverse
                                                                     : Counted::kNo;
    columns_.push_back({field, counted});
    return static_cast<int>(columns_.size() - 1);
}

FieldSelection PluginHook::declared() const {
    FieldSelection out;
    for (const PluginField& field : fields_) out.push_back(field.element);
    return out;
}

FieldSelection PluginHook::exported() const {
    FieldSelection out;
    for (const PluginField& field : fields_)
        if (!field.is_volatile) out.push_back(field.element);
    return out;
}

// ---- the guard ----

template <class Call>
inline void PluginHook::guarded(Call call) noexcept {
    if (const int result = guard_.measures() ? measured(call) : result_of(call); result != NFD_OK) [[unlikely]]
        failed();
}

template <class Call>
inline int PluginHook::result_of(Call call) noexcept {
    try {
        return call();
    } catch (...) {
        reason_ = "a function threw an exception";
        return NFD_FAILED;
    }
}

template <class Call>
int PluginHook::measured(Call call) noexcept {
    const auto begin = CallGuard::Clock::now();
    const int result = result_of(call);
    guard_.note_time(CallGuard::Clock::now() - begin);
    return result;
}

void PluginHook::failed() noexcept {
    guard_.note_failure(std::exchange(reason_, {}));
}

// ---- flows ----

void PluginHook::add_chunk(std::size_t chunk) {
    if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
    if (!chunks_[chunk].allocate(stride_ << chunk_bits_)) throw std::bad_alloc();
}

// What a call for a packet looks at first.
void PluginHook::prefetch(std::span<const std::uint32_t> handles) const noexcept {
    for (const std::uint32_t handle : handles) {
        const std::size_t chunk = chunk_of(handle);
        if (chunk < chunks_.size() && chunks_[chunk]) __builtin_prefetch(&chunks_[chunk][in_chunk(handle)], 1);
    }
}

std::int32_t PluginHook::on_begin(const FlowView& flow, const Packet& packet) noexcept {
    Slot& own = slot(flow.handle);
    std::memset(static_cast<void*>(&own), 0, stride_);
    if (guard_.disabled()) return 0;
    own.begun = true;
    guard_.note_flow();
    return show(plugin_.on_init, flow, packet, 0, own);
}

std::int32_t PluginHook::on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept {
    if (guard_.disabled()) return 0;
    return show(plugin_.on_update, flow, packet, direction, begun(flow.handle));
}

inline std::int32_t PluginHook::show(decltype(nfd_plugin::on_update) function, const FlowView& flow,
                                     const Packet& packet, int direction, Slot& own) noexcept {
    guard_.note_packet();
    if (function == nullptr || !own.begun) return 0;
    fill(flow, packet, direction);
    nfd_flow in_call{this, &flow, nullptr, values(own), 0};
    guarded(
        [this, function, shown = &in_call, state = own.state()] { return function(instance_, &shown_, shown, state); });
    return in_call.verdict;
}

inline void PluginHook::fill(const FlowView& flow, const Packet& packet, int direction) noexcept {
    shown_.direction = static_cast<std::uint8_t>(direction);
    shown_.ip_version = packet.version;
    shown_.protocol = packet.protocol;
    shown_.tcp_flags = packet.tcp_flags;
    if (parts_ & NFD_PACKET_TIMES) {
        const std::uint64_t now_ms = to_ms(packet.timestamp);
        shown_.time_ns = packet.timestamp;
        shown_.time = static_cast<std::int64_t>(now_ms);
        shown_.delta_time = now_ms - to_ms(flow.before);
    }
    if (parts_ & NFD_PACKET_SIZES) {
        shown_.raw_size = packet.sizes[0];
        shown_.ip_size = packet.sizes[1];
        shown_.transport_size = packet.sizes[2];
        shown_.payload_size = packet.sizes[3];
        shown_.capture_length = packet.captured;
    }
    if (parts_ & NFD_PACKET_ENDPOINTS) {
        const bool reverse = direction != 0, v4 = packet.version == 4;
        const MacAddress* source_mac = reverse ? flow.destination_mac : flow.source_mac;
        const MacAddress* destination_mac = reverse ? flow.source_mac : flow.destination_mac;
        shown_.src_port = packet.source_port;
        shown_.dst_port = packet.destination_port;
        shown_.vlan_id = packet.vlan_id;
        shown_.tunnel_id = packet.tunnel_id;
        shown_.src_address = packet.ip + (v4 ? 12 : 8);
        shown_.dst_address = packet.ip + (v4 ? 16 : 24);
        shown_.src_mac = source_mac != nullptr ? source_mac->data() : kNoMac;
        shown_.dst_mac = destination_mac != nullptr ? destination_mac->data() : kNoMac;
    }
    if (parts_ & NFD_PACKET_OCTETS) {
        shown_.ip_packet = packet.ip;
        shown_.ip_packet_length = packet.ip_captured;
        shown_.transport_offset = packet.transport_offset;
    }
}

void PluginHook::add_values(Slot& own, FlowRecord& record, Arena& arena) noexcept {
    const nfd_value* from = values(own);
    const auto is_set = [](const nfd_value& value) { return value.type != NFD_ABSENT; };
    const auto count = static_cast<std::size_t>(std::count_if(from, from + fields_.size(), is_set));
    if (count == 0) return;
    const auto all = arena.array<DeclaredValue>(record.declared.size() + count);
    auto* to = std::uninitialized_copy(record.declared.begin(), record.declared.end(), all.data());
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (is_set(from[i])) new (to++) DeclaredValue{fields_[i].element->value.declared, field_value(from[i], arena)};
    record.declared = all;
}

void PluginHook::describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    if (Slot& own = slot(handle); own.begun) add_values(own, record, arena);
}

void PluginHook::on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    Slot& own = slot(handle);
    if (!own.begun) return;
    const bool shown = !guard_.disabled() && plugin_.on_expire != nullptr;
    if (shown) {
        nfd_flow in_call{this, nullptr, &record, values(own), 0};
        guarded([&] { return plugin_.on_expire(instance_, &in_call, own.state()); });
    }
    add_values(own, record, arena);
    if (shown) own.begun = false;  // what its state held is freed
    end(own);
}

void PluginHook::on_discard(std::uint32_t handle) noexcept {
    end(slot(handle));
}

void PluginHook::end(Slot& own) noexcept {
    if (std::exchange(own.begun, false) && plugin_.on_discard != nullptr) {
        try {
            plugin_.on_discard(instance_, own.state());
        } catch (...) {
            guard_.note_failure("on_discard() threw an exception");
        }
    }
    nfd_value* all = values(own);
    for (std::size_t i = 0; i < fields_.size(); ++i) release(all[i]);
}

}  // namespace nfstreamd
