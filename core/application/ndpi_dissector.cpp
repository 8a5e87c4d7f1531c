// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_dissector.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "core/application/kept_texts.hpp"
#include "core/application/ndpi_compat.hpp"
#include "core/application/ndpi_states.hpp"

namespace nfstreamd {
namespace {

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

}  // namespace

class NdpiDissector::Implementation {
public:
    Implementation(std::unique_ptr<NdpiModule> module, const DissectionLimits& limits, bool details)
        : limits_(limits), details_(details) {
        slots_.push_back({std::move(module), 0});
    }

    // nfstream's engine, packet for packet: whether to go on is decided before
    // a packet is shown, and giving up happens on the packet that is the limit.
    void dissect(FlowApplication& flow, std::uint8_t protocol, const std::uint8_t* ip, std::uint16_t length,
                 std::uint64_t time_ms, std::uint32_t number) {
        const std::uint32_t limit = limits_.of(protocol);
        ndpi::Flow* state = flow.state == nullptr ? begin(flow, limit) : states_.open(flow.state);
        if (state == nullptr) return;
        ndpi::Module* module = module_of(flow).get();
        const NdpiDispatch::Use plan(module_of(flow).dispatch());
        const ndpi::Verdict found = ndpi::process(module, state, ip, length, time_ms);
        store(flow, found);
        const bool known = found.app != NDPI_PROTOCOL_UNKNOWN;
        if (number == limit) {
            const bool follow = known && number == 1 && !limits_.exact;
            if (!follow || !ndpi::extra_dissection_possible(module, state, found))
                return conclude(flow, *state, !known);
        } else if (known && !ndpi::extra_dissection_possible(module, state, found)) {
            return conclude(flow, *state, false);  // the next packet would not be shown
        }
        flow.state = states_.keep();
        if (flow.state == nullptr) [[unlikely]]
            conclude(flow, *state, !known);
    }

    void stop(FlowApplication& flow) {
        if (flow.state == nullptr) flow.unseen = begin(flow, 0) == nullptr;
        flow.complete = true;  // a state that is there decides when the flow ends
    }

    const ApplicationRecord* finish(FlowApplication& flow, Arena& arena) {
        if (flow.unseen) {
            discard(flow);
            return nullptr;
        }
        if (flow.state != nullptr) conclude(flow, *states_.open(flow.state), flow.app == NDPI_PROTOCOL_UNKNOWN);
        const auto* record = describe(flow, arena);
        discard(flow);
        return record;
    }

    const ApplicationRecord* describe(const FlowApplication& flow, Arena& arena) {
        if (flow.unseen) return nullptr;
        ApplicationRecord* record = record_of(flow, arena);
        restore_texts(flow.texts, details_, arena, *record);
        return record;
    }

    std::string_view application_name(const FlowApplication& flow) {
        if (flow.unseen) return {};
        return naming(flow).application_name(flow.master, flow.app);
    }

    const ApplicationRecord* so_far(FlowApplication& flow, Arena& arena) {
        if (flow.unseen || flow.state == nullptr) return describe(flow, arena);
        ApplicationRecord* record = record_of(flow, arena);
        ndpi::Flow* state = states_.open(flow.state);
        record->family = family_of({flow.master, flow.app, flow.category});
        record->confidence = ndpi::confidence(*state);
        char* texts = keep_texts(*state, record->family, details_);
        restore_texts(texts, details_, arena, *record);
        std::free(texts);
        flow.state = states_.keep();
        if (flow.state == nullptr) [[unlikely]]
            conclude(flow, *state, flow.app == NDPI_PROTOCOL_UNKNOWN);
        return record;
    }

    void discard(FlowApplication& flow) {
        if (has_begun(flow)) {
            Slot& slot = slots_[flow.module];
            --slot.flows;
            if (flow.state != nullptr) {
                states_.open(flow.state);
                states_.end();
            }
            if (slot.flows == 0 && flow.module != current_) [[unlikely]]
                retire(flow.module);
        }
        std::free(flow.texts);
        flow = {};
    }

    void adopt(std::unique_ptr<NdpiModule> module) {
        const std::uint16_t former = current_;
        const auto is_free = [](const Slot& slot) { return slot.module == nullptr; };
        const auto place = std::find_if(slots_.begin(), slots_.end(), is_free);
        current_ = static_cast<std::uint16_t>(place - slots_.begin());
        if (place == slots_.end())
            slots_.push_back({std::move(module), 0});
        else
            place->module = std::move(module);
        if (slots_[former].flows == 0) retire(former);
    }

    std::uint64_t states() const { return states_.kept(); }
    ApplicationList applications() const { return slots_[current_].module->applications(); }

    std::size_t modules() const {
        const auto in_use = [](const Slot& slot) { return slot.module != nullptr; };
        return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), in_use)) + retired_.size();
    }

private:
    struct Slot {
        std::unique_ptr<NdpiModule> module;  // null: free
        std::uint64_t flows;                 // that began with it and have not ended
    };

    // Without texts.
    ApplicationRecord* record_of(const FlowApplication& flow, Arena& arena) {
        auto* record = arena.make<ApplicationRecord>();
        NdpiModule& module = naming(flow);
        // copied: a batch may outlive the module and its names
        record->name = arena.copy(module.application_name(flow.master, flow.app));
        record->category_name = arena.copy(module.category_name(flow.category));
        record->master_protocol = flow.master;
        record->app_protocol = flow.app;
        record->family = static_cast<ApplicationFamily>(flow.family);
        record->confidence = flow.confidence;
        record->is_guessed = flow.guessed;
        return record;
    }

    static bool has_begun(const FlowApplication& flow) { return flow.state != nullptr || flow.complete; }
    NdpiModule& module_of(const FlowApplication& flow) { return *slots_[flow.module].module; }
    // Of a flow that none has seen the names are those of the present one.
    NdpiModule& naming(const FlowApplication& flow) {
        return has_begun(flow) ? module_of(flow) : *slots_[current_].module;
    }

    // Null: nothing of this flow is shown.
    ndpi::Flow* begin(FlowApplication& flow, std::uint32_t limit) {
        flow.module = current_;
        ++slots_[current_].flows;
        ndpi::Flow* state = limit != 0 ? states_.begin() : nullptr;
        flow.complete = state == nullptr;
        return state;
    }

    static void store(FlowApplication& flow, const ndpi::Verdict& found) {
        flow.master = found.master;
        flow.app = found.app;
        flow.category = found.category;
    }

    // The verdict stands: keep what is exported, free the rest. `state` is the open one.
    void conclude(FlowApplication& flow, ndpi::Flow& state, bool guess) {
        if (guess) {
            bool guessed = false;
            store(flow, ndpi::give_up(module_of(flow).get(), &state, guessed));
            flow.guessed = guessed;
        }
        const auto family = family_of({flow.master, flow.app, flow.category});
        flow.family = static_cast<std::uint8_t>(family);
        flow.confidence = ndpi::confidence(state);
        flow.texts = keep_texts(state, family, details_);
        flow.complete = true;
        flow.state = nullptr;
        states_.end();
    }

    // Frees what can be freed without waiting; the rest has another chance the next time, and in the destructor.
    void retire(std::uint16_t slot) {
        retired_.push_back(std::move(slots_[slot].module));
        std::erase_if(retired_, [](auto& module) { return NdpiModule::try_free(module); });
    }

    const DissectionLimits limits_;
    const bool details_;
    ndpi::States states_;
    std::vector<Slot> slots_;
    std::uint16_t current_ = 0;  // of slots_
    std::vector<std::unique_ptr<NdpiModule>> retired_;
};

NdpiDissector::NdpiDissector(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
NdpiDissector::~NdpiDissector() = default;

Result<std::unique_ptr<NdpiDissector>> NdpiDissector::create(const DissectorOptions& options) {
    auto module = NdpiModule::create(options.files);
    if (!module) return module.error();
    auto implementation = std::make_unique<Implementation>(std::move(module.value()), options.limits, options.details);
    return std::unique_ptr<NdpiDissector>(new NdpiDissector(std::move(implementation)));
}

void NdpiDissector::dissect(FlowApplication& flow, std::uint8_t protocol, const std::uint8_t* ip, std::uint16_t length,
                            std::uint64_t time_ms, std::uint32_t number) {
    implementation_->dissect(flow, protocol, ip, length, time_ms, number);
}
void NdpiDissector::stop(FlowApplication& flow) {
    implementation_->stop(flow);
}
const ApplicationRecord* NdpiDissector::finish(FlowApplication& flow, Arena& arena) {
    return implementation_->finish(flow, arena);
}
const ApplicationRecord* NdpiDissector::describe(const FlowApplication& flow, Arena& arena) const {
    return implementation_->describe(flow, arena);
}
std::string_view NdpiDissector::application_name(const FlowApplication& flow) const {
    return implementation_->application_name(flow);
}
const ApplicationRecord* NdpiDissector::so_far(FlowApplication& flow, Arena& arena) {
    return implementation_->so_far(flow, arena);
}
void NdpiDissector::discard(FlowApplication& flow) noexcept {
    implementation_->discard(flow);
}
ApplicationList NdpiDissector::applications() const {
    return implementation_->applications();
}
void NdpiDissector::adopt(std::unique_ptr<NdpiModule> module) {
    implementation_->adopt(std::move(module));
}
std::uint64_t NdpiDissector::states() const noexcept {
    return implementation_->states();
}
std::size_t NdpiDissector::modules() const noexcept {
    return implementation_->modules();
}

std::string ndpi_version() {
    return ndpi_revision();
}

}  // namespace nfstreamd
