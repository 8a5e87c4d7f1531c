// SPDX-License-Identifier: Apache-2.0
// The plugin host against a plugin that does what the input says: declares,
// sets, reads and explains anything, at any time, throws, and ends flows. It runs
// in this process, so what it points to is there; all else may be wrong. The
// meter must keep every packet, and what is exported must be text.
#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/metering/metering_process.hpp"
#include "core/plugin/flow_plugin.hpp"
#include "core/record/template.hpp"
#include "exporters/encode/json_encoder.hpp"
#include "tests/fuzz/promises.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/synthetic_source.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;

// A few texts, so that a process declares a limited number of fields however long it runs.
const char* const kTexts[] = {"a", "b",     "count",    "a name",
                              "",  nullptr, "\xff\xfe", "tab\tline\n\x1b[2J\u202e\"quoted\""};

fuzz::Pieces* script;  // of the run

// Octets in a block of their own, until the call is over.
class Lent {
public:
    // Mostly of the type that the field was declared with.
    nfd_value value(std::uint32_t declared) {
        nfd_value out{};
        const std::uint8_t type = script->octet();
        out.type = type < 64 || declared == NFD_ANY ? type % 12 : declared;
        const auto octets = script->take(script->octet());
        out.length = static_cast<std::uint32_t>(octets.size());
        if (out.type == NFD_LIST) out.length /= sizeof(std::int32_t);
        if (out.type == NFD_ADDRESS && type % 8 != 0) out.length = out.length > 8 ? 16 : 4;
        if (out.type == NFD_MAC && type % 8 != 0) out.length = 6;
        if (out.type == NFD_TEXT || out.type == NFD_LIST) {
            blocks_.emplace_back(octets);
            const void* block = out.length == 0 ? nullptr : blocks_.back().octets().data();
            if (out.type == NFD_TEXT)
                out.as.text = static_cast<const char*>(block);
            else
                out.as.list = static_cast<const std::int32_t*>(block);
        } else {
            std::memcpy(out.as.octets, octets.data(), std::min(octets.size(), sizeof out.as.octets));
        }
        return out;
    }
    const char* text() {
        const auto octets = script->take(script->octet() % 64);
        text_ = fuzz::text_of(octets);
        return text_.c_str();
    }

private:
    std::vector<fuzz::HeapBlock> blocks_;
    std::string text_;
};

// A field of each type, in front of those that the script declares.
constexpr std::uint32_t kTypes = NFD_ANY;
void declare_all(const nfd_host* host) {
    constexpr const char* kNames[] = {"t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"};
    for (std::uint32_t type = 1; type <= kTypes; ++type) {
        nfd_field field{};
        field.struct_size = sizeof field;
        field.type = type;
        field.name = kNames[type - 1];
        field.description = "A field of a type.";
        host->declare_field(host, &field);
    }
}

struct Instance {
    const nfd_host* host;
};

void declare(const nfd_host* host) {
    nfd_field field{};
    const std::uint8_t choice = script->octet(), kind = script->octet();
    field.struct_size = (kind & 0x80) != 0 ? offsetof(nfd_field, is_volatile) : sizeof field;
    field.type = kind % 12;
    field.name = kTexts[choice & 7];
    field.description = kTexts[choice >> 3 & 7];
    field.units = (choice & 0x40) != 0 ? "milliseconds" : nullptr;
    field.is_volatile = choice >> 7;
    constexpr std::uint32_t kElements[][2] = {{0, 0},     {0, 1},     {32473, 5}, {0xffffffff, 700},
                                              {29305, 1}, {1, 40000}, {7, 0}};
    const auto& element = kElements[script->octet() % std::size(kElements)];
    field.element_pen = element[0];
    field.element_id = element[1];
    field.element_name = (kind & 0x40) != 0 ? "octetDeltaCount" : nullptr;
    host->declare_field(host, &field);
}

void find(const nfd_host* host) {
    constexpr const char* kColumns[] = {"bidirectional_packets", "src_ip",  "src_mac", "udps.a", "application_name",
                                        "bidirectional_mean_ps", "no such", ""};
    host->find_column(host, kColumns[script->octet() % std::size(kColumns)]);
}

// What may be done in any call; `flow` null: there is none.
int act(const nfd_host* host, nfd_flow* flow) {
    for (int steps = script->octet() % 8; steps > 0; --steps) {
        Lent lent;
        nfd_value value{};
        const int number = static_cast<std::int8_t>(script->octet());
        switch (script->octet() % 11) {
            case 0:
                host->log(host, script->octet() % 6, lent.text());
                break;
            case 1:
                host->explain(host, (number & 1) != 0 ? nullptr : lent.text());
                break;
            case 2:
                declare(host);
                break;
            case 3:
                find(host);
                break;
            case 4:
                host->reserve_flow_state(host, std::size_t{script->number16()} << (number & 15));
                break;
            case 5:
            case 6:
                value =
                    lent.value(number >= 0 && number % 12 < 9 ? static_cast<std::uint32_t>(number % 12 + 1) : NFD_ANY);
                if (flow != nullptr) host->set(flow, number % 12, &value);
                break;
            case 7:
                if (flow != nullptr && host->get(flow, number % 12, &value) == NFD_OK && value.type == NFD_TEXT)
                    for (std::uint32_t i = 0; i < value.length; ++i)
                        require(value.as.text + i != nullptr, "a text is there");
                break;
            case 8:
                if (flow != nullptr) host->read(flow, number % 12, &value);
                break;
            case 9:
                if (flow != nullptr && host->expire(flow, number) == NFD_OK)
                    require(number < 0, "a number ends a flow");
                break;
            default:
                if (flow != nullptr) require(host->packets(flow) > 0, "a flow has a packet");
        }
    }
    const std::uint8_t end = script->octet();
    if (end == 0xff) throw std::runtime_error("a broken promise");
    if (end == 0xfe) throw 7;
    return end >= 0xf0 ? NFD_FAILED : NFD_OK;
}

// The state is the plugin's own, all of it.
void use_state(void* state) {
    if (state != nullptr) std::memset(state, 0x5a, 1);
}

int open_plugin(const nfd_host* host, void** instance) {
    host->reserve_flow_state(host, 16);
    declare_all(host);
    for (const char* column : {"bidirectional_packets", "src_ip", "src_mac", "bidirectional_mean_ps", "splt_ps",
                               "application_name", "application_is_guessed", "requested_server_name", "src_oui"})
        host->find_column(host, column);
    // the same each time: a plugin that declares other fields is refused, which one octet asks for
    fuzz::Pieces* const rest = script;
    fuzz::Pieces opening = *rest;
    if (host->checks == 0 && script->octet() == 0xff) opening.octet();
    script = &opening;
    const auto restore = [&] { script = rest; };
    try {
        const int result = act(host, nullptr);
        if (host->checks == 0) *rest = opening;
        restore();
        if (result == NFD_OK) *instance = new Instance{host};
        return result;
    } catch (...) {
        restore();
        throw;
    }
}
void close_plugin(void* instance) {
    delete static_cast<Instance*>(instance);
}
nfd_plugin table;

int on_packet(void* instance, const nfd_packet* packet, nfd_flow* flow, void* state) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < packet->ip_packet_length; ++i) sum += packet->ip_packet[i];
    const auto shown = [](std::uint32_t part) { return table.packet_parts == 0 || (table.packet_parts & part) != 0; };
    require((sum != 0) == shown(NFD_PACKET_OCTETS) && (packet->src_mac != nullptr) == shown(NFD_PACKET_ENDPOINTS) &&
                (packet->dst_address != nullptr) == shown(NFD_PACKET_ENDPOINTS) &&
                (packet->time != 0) == shown(NFD_PACKET_TIMES),
            "what it reads of a packet is shown");
    use_state(state);
    return act(static_cast<Instance*>(instance)->host, flow);
}
int on_expire(void* instance, nfd_flow* flow, void* state) {
    use_state(state);
    return act(static_cast<Instance*>(instance)->host, flow);
}
void on_discard(void* instance, void* state) {
    use_state(state);
    act(static_cast<Instance*>(instance)->host, nullptr);
}

Logger& quiet() {
    static Logger logger(LogLevel::kDebug, LogFormat::kText, -1);
    return logger;
}

void check_records(RecordQueue& queue, const FieldSelection& fields, std::uint64_t packets) {
    FieldGroups groups;
    groups.declared = fields;
    const exporters::JsonEncoder encoder(nfstream_fields(groups));
    std::uint64_t seen = 0;
    std::string line;
    while (const auto batch = queue.try_pop()) {
        for (const FlowRecord& record : batch->records) {
            seen += record.packets();
            line.clear();
            encoder.encode(record, line);
            require(fuzz::is_json_object(std::string_view(line).substr(0, line.size() - 1)),
                    "a record is a line of JSON");
        }
    }
    require(seen == packets, "each packet is in one record");
}

}  // namespace

extern "C" const nfd_plugin* fuzzer_plugin(std::uint32_t) {
    return &table;
}

// Coverage is counted in the object, too: it stays when its last user has gone.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    require(::dlopen(NFSTREAMD_HOSTILE_PLUGIN, RTLD_NOW) != nullptr, "the object can be loaded");
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    fuzz::Pieces pieces(input, size);
    script = &pieces;
    const std::uint8_t choice = pieces.octet(), missing = pieces.octet();
    table = {.abi = NFSTREAMD_PLUGIN_ABI + (choice == 0xff ? 1u : 0u),
             .struct_size = choice == 0xfe ? 24u : static_cast<std::uint32_t>(sizeof(nfd_plugin)),
             .version = "1",
             .open = (missing & 1) != 0 && (missing & 0x80) != 0 ? nullptr : open_plugin,
             .close = close_plugin,
             .on_init = (missing & 2) != 0 ? nullptr : on_packet,
             .on_update = (missing & 4) != 0 ? nullptr : on_packet,
             .on_expire = (missing & 8) != 0 ? nullptr : on_expire,
             .on_discard = (missing & 16) != 0 ? nullptr : on_discard,
             .packet_parts = (missing & 0x60u) >> 4 << (choice >> 6),
             .reserved = 0};
    PluginOptions options{.name = "hostile", .path = NFSTREAMD_HOSTILE_PLUGIN};
    if ((choice & 1) != 0) options.elements = {{"count", {32473, 9}}};
    auto plugin = FlowPlugin::load(options, {}, quiet());
    if (!plugin) {
        require(!plugin.error().message.empty(), "a refusal has a reason");
        return 0;
    }
    MeteringOptions metering;
    metering.n_dissections = DissectionLimits{0};
    metering.max_flows = 4;
    metering.max_nflows = (choice & 2) != 0 ? 3 : 0;
    metering.statistical_analysis = (choice & 4) != 0;
    metering.splt_analysis = (choice & 4) != 0 ? 3 : 0;
    metering.extensions = {plugin.value()};
    auto source = std::make_unique<test::SyntheticSource>();
    const int packets = 1 + (choice >> 3 & 15);
    for (int i = 0; i < packets; ++i)
        source->add(test::PacketBuilder(10)
                        .udp(static_cast<std::uint16_t>(1000 + i % 6), 2000)
                        .ipv4(i % 3 == 2 ? "10.0.0.2" : "10.0.0.1", i % 3 == 2 ? "10.0.0.1" : "10.0.0.2")
                        .ethernet(),
                    1'700'000'000'000'000'000 + i);
    const auto queue = std::make_shared<RecordQueue>("fuzz", 64, std::make_shared<WakeEvent>());
    {
        MeteringProcess process({1, "files", true}, metering, std::move(source), {queue}, quiet());
        if (!process.open()) return 0;
        require(process.run({}).has_value(), "a run ends well");
        require(process.counters().packets.get() == static_cast<std::uint64_t>(packets), "each packet is metered");
        check_records(*queue, plugin.value()->fields(), static_cast<std::uint64_t>(packets));
    }
    require(plugin.value()->status().instances == 0, "no instance is left");
    return 0;
}
