// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_dissector.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/application/ndpi_compat.hpp"
#include "core/base/utf8.hpp"

namespace nfstreamd {
namespace {

std::mutex& module_mutex() {  // the library's init and exit must not run beside another init or exit
    static std::mutex mutex;
    return mutex;
}

struct ModuleDeleter {
    void operator()(ndpi::Module* module) const {
        const std::lock_guard lock(module_mutex());
        ndpi_exit_detection_module(module);
    }
};

// nDPI's flow structs, zeroed when taken. Never given back to the system: the
// next flows want them.
class StatePool {
public:
    explicit StatePool(std::size_t size) : size_((size + 63) / 64 * 64) {}
    ~StatePool() {
        for (void* chunk : chunks_) std::free(chunk);
    }
    StatePool(const StatePool&) = delete;
    StatePool& operator=(const StatePool&) = delete;

    ndpi::Flow* take() {
        if (free_.empty() && !grow()) return nullptr;
        void* state = free_.back();
        free_.pop_back();
        std::memset(state, 0, size_);
        ++in_use_;
        return static_cast<ndpi::Flow*>(state);
    }
    void give(ndpi::Flow* state) {
        free_.push_back(state);
        --in_use_;
    }
    std::uint64_t in_use() const { return in_use_; }

private:
    static constexpr std::size_t kPerChunk = 256;

    bool grow() {
        void* chunk = std::aligned_alloc(64, size_ * kPerChunk);
        if (chunk == nullptr) return false;
        chunks_.push_back(chunk);
        for (std::size_t i = kPerChunk; i-- > 0;) free_.push_back(static_cast<char*>(chunk) + i * size_);
        return true;
    }

    std::size_t size_;
    std::vector<void*> chunks_, free_;
    std::uint64_t in_use_ = 0;
};

enum Text { kServerName, kClientFingerprint, kServerFingerprint, kUserAgent, kContentType, kTexts };
constexpr std::array<std::size_t, kTexts> kLongest{80, 48, 48, 255, 63};  // as nfstream keeps them

ApplicationFamily family_of(const ndpi::Verdict& v) {
    const auto is = [&](auto... ids) { return ((v.master == ids || v.app == ids) || ...); };
    using enum ApplicationFamily;
    if (is(NDPI_PROTOCOL_DHCP)) return kDhcp;
    if (is(NDPI_PROTOCOL_HTTP)) return kHttp;
    if (is(NDPI_PROTOCOL_SSH)) return kSsh;
    if (is(NDPI_PROTOCOL_TLS, NDPI_PROTOCOL_DTLS, NDPI_PROTOCOL_MAIL_SMTPS, NDPI_PROTOCOL_MAIL_IMAPS,
           NDPI_PROTOCOL_MAIL_POPS, NDPI_PROTOCOL_QUIC))
        return kTls;
    if (is(NDPI_PROTOCOL_DNS, NDPI_PROTOCOL_MDNS, NDPI_PROTOCOL_LLMNR)) return kDns;
    return kOther;
}

std::string_view bounded(const char* text, std::size_t limit) {
    return text == nullptr ? std::string_view{} : std::string_view(text, strnlen(text, limit));
}

using Texts = std::array<std::string_view, kTexts>;

Texts texts_of(const ndpi::Flow& flow, ApplicationFamily family) {
    using enum ApplicationFamily;
    Texts out{};
    out[kServerName] = bounded(flow.host_server_name, sizeof flow.host_server_name);
    switch (family) {
        case kDhcp:
            out[kClientFingerprint] = bounded(flow.protos.dhcp.fingerprint, sizeof flow.protos.dhcp.fingerprint);
            break;
        case kSsh:
            out[kClientFingerprint] = bounded(flow.protos.ssh.hassh_client, sizeof flow.protos.ssh.hassh_client);
            out[kServerFingerprint] = bounded(flow.protos.ssh.hassh_server, sizeof flow.protos.ssh.hassh_server);
            break;
        case kTls:
            out[kClientFingerprint] = bounded(ndpi::ja3_client(flow), 48);
            out[kServerFingerprint] = bounded(flow.protos.tls_quic.ja3_server, sizeof flow.protos.tls_quic.ja3_server);
            out[kUserAgent] = bounded(flow.http.user_agent, 4096);
            break;
        case kHttp:
            out[kUserAgent] = bounded(flow.http.user_agent, 4096);
            out[kContentType] = bounded(flow.http.content_type, 4096);
            break;
        case kDns:
        case kOther:
            break;
    }
    for (std::size_t i = 0; i < kTexts; ++i) out[i] = out[i].substr(0, kLongest[i]);
    return out;
}

// Five lengths, then the valid UTF-8 of the texts; null when all are empty.
char* pack(const Texts& texts) {
    std::size_t total = 0;
    for (const auto text : texts) total += text.size();
    if (total == 0) return nullptr;
    auto* packed = static_cast<char*>(std::malloc(kTexts + total));
    if (packed == nullptr) return nullptr;
    char* at = packed + kTexts;
    for (std::size_t i = 0; i < kTexts; ++i) {
        const std::size_t length = copy_valid_utf8(texts[i], at);
        packed[i] = static_cast<char>(length);
        at += length;
    }
    return packed;
}

Texts unpack(const char* packed) {
    Texts out{};
    if (packed == nullptr) return out;
    const char* at = packed + kTexts;
    for (std::size_t i = 0; i < kTexts; ++i) {
        const auto length = static_cast<unsigned char>(packed[i]);
        out[i] = {at, length};
        at += length;
    }
    return out;
}

}  // namespace

class NdpiDissector::Implementation {
public:
    Implementation(std::unique_ptr<ndpi::Module, ModuleDeleter> module, unsigned n_dissections)
        : module_(std::move(module)), limit_(n_dissections), states_(ndpi_detection_get_sizeof_ndpi_flow_struct()) {}

    // nfstream's engine, packet for packet: whether to go on is decided before
    // a packet is shown, and giving up happens on packet `n_dissections`.
    void dissect(FlowApplication& flow, const std::uint8_t* ip, std::uint16_t length, std::uint64_t time_ms,
                 std::uint32_t number) {
        if (flow.state == nullptr && (flow.state = states_.take()) == nullptr) {
            flow.complete = true;
            return;
        }
        auto* state = static_cast<ndpi::Flow*>(flow.state);
        const ndpi::Verdict found = ndpi::process(module_.get(), state, ip, length, time_ms);
        store(flow, found);
        const bool known = found.app != NDPI_PROTOCOL_UNKNOWN;
        if (number == limit_) {
            if (!known)
                conclude(flow, true);
            else if (number > 1 || !ndpi::extra_dissection_possible(module_.get(), state, found))
                conclude(flow, false);
        } else if (known && !ndpi::extra_dissection_possible(module_.get(), state, found)) {
            conclude(flow, false);  // the next packet would not be shown
        }
    }

    const ApplicationRecord* finish(FlowApplication& flow, Arena& arena) {
        if (flow.state != nullptr) conclude(flow, flow.app == NDPI_PROTOCOL_UNKNOWN);
        auto* record = arena.make<ApplicationRecord>();
        const ndpi::Verdict v{flow.master, flow.app, flow.category};
        // copied: a batch may outlive the dissector and its names
        record->name = arena.copy(name(v));
        record->category_name = arena.copy(category_name(v.category));
        const Texts texts = unpack(flow.texts);
        record->requested_server_name = arena.copy(texts[kServerName]);
        record->client_fingerprint = arena.copy(texts[kClientFingerprint]);
        record->server_fingerprint = arena.copy(texts[kServerFingerprint]);
        record->user_agent = arena.copy(texts[kUserAgent]);
        record->content_type = arena.copy(texts[kContentType]);
        record->master_protocol = v.master;
        record->app_protocol = v.app;
        record->family = static_cast<ApplicationFamily>(flow.family);
        record->confidence = flow.confidence;
        record->is_guessed = flow.guessed;
        discard(flow);
        return record;
    }

    void discard(FlowApplication& flow) {
        if (flow.state != nullptr) free_state(flow);
        std::free(flow.texts);
        flow = {};
    }

    std::uint64_t states() const { return states_.in_use(); }

private:
    static void store(FlowApplication& flow, const ndpi::Verdict& found) {
        flow.master = found.master;
        flow.app = found.app;
        flow.category = found.category;
    }

    // The verdict stands: keep what is exported, free the rest.
    void conclude(FlowApplication& flow, bool guess) {
        auto* state = static_cast<ndpi::Flow*>(flow.state);
        if (guess) {
            bool guessed = false;
            store(flow, ndpi::give_up(module_.get(), state, guessed));
            flow.guessed = guessed;
        }
        const auto family = family_of({flow.master, flow.app, flow.category});
        flow.family = static_cast<std::uint8_t>(family);
        flow.confidence = ndpi::confidence(*state);
        flow.texts = pack(texts_of(*state, family));
        flow.complete = true;
        free_state(flow);
    }

    void free_state(FlowApplication& flow) {
        auto* state = static_cast<ndpi::Flow*>(flow.state);
        ndpi_free_flow_data(state);
        states_.give(state);
        flow.state = nullptr;
    }

    const std::string& name(const ndpi::Verdict& v) {
        std::string& text = names_[std::uint32_t{v.master} << 16 | v.app];
        if (text.empty()) {
            ndpi::append_name(module_.get(), v, text);
            if (text.size() > 39) text.resize(39);  // nfstream's column
        }
        return text;
    }

    std::string_view category_name(std::uint16_t category) {
        const char* text = ndpi_category_get_name(module_.get(), static_cast<ndpi_protocol_category_t>(category));
        return bounded(text, 24);
    }

    std::unique_ptr<ndpi::Module, ModuleDeleter> module_;
    const std::uint32_t limit_;
    StatePool states_;
    std::unordered_map<std::uint32_t, std::string> names_;
};

NdpiDissector::NdpiDissector(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
NdpiDissector::~NdpiDissector() = default;

Result<std::unique_ptr<NdpiDissector>> NdpiDissector::create(unsigned n_dissections) {
    if (ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(ndpi::Flow) ||
        ndpi_get_api_version() != NDPI_API_VERSION)
        return Error{ErrorCode::kInternal,
                     fmt::format("the nDPI library ({}) is not the one nfstreamd was built with; install that one or "
                                 "rebuild",
                                 ndpi_revision()),
                     "nDPI"};
    std::unique_ptr<ndpi::Module, ModuleDeleter> module;
    {
        const std::lock_guard lock(module_mutex());
        module.reset(ndpi::new_module());
    }
    if (module == nullptr) return Error{ErrorCode::kUnavailable, "cannot create a detection module", "nDPI"};
    auto implementation = std::make_unique<Implementation>(std::move(module), n_dissections);
    return std::unique_ptr<NdpiDissector>(new NdpiDissector(std::move(implementation)));
}

void NdpiDissector::dissect(FlowApplication& flow, const std::uint8_t* ip, std::uint16_t length, std::uint64_t time_ms,
                            std::uint32_t number) {
    implementation_->dissect(flow, ip, length, time_ms, number);
}
const ApplicationRecord* NdpiDissector::finish(FlowApplication& flow, Arena& arena) {
    return implementation_->finish(flow, arena);
}
void NdpiDissector::discard(FlowApplication& flow) noexcept {
    implementation_->discard(flow);
}
std::uint64_t NdpiDissector::states() const noexcept {
    return implementation_->states();
}

std::string ndpi_version() {
    return ndpi_revision();
}

}  // namespace nfstreamd
