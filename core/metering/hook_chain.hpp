// SPDX-License-Identifier: Apache-2.0
// Several hooks as one: each sees every packet, in their order, and the last one
// that ends the flow says with which number. When they are replaced, flows that
// have begun stay with those that saw them begin; a hook goes after the last such
// flow. One metering thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/metering/flow_extension.hpp"
#include "core/metering/flow_states.hpp"

namespace nfstreamd {

class HookChain {
public:
    // `in_use`: flows have begun already, which none of the hooks will see.
    explicit HookChain(bool in_use = false);

    void add(HookLink link);  // before the first flow
    void replace(std::vector<HookLink> links);
    bool empty() const noexcept;         // nobody is called, now or for flows that have begun
    std::size_t hooks() const noexcept;  // there are, those of former flows included

    // As of a hook.
    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept;
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept {
        if (sole_ != nullptr) [[likely]]
            return sole_->on_packet(flow, packet, direction);
        std::int32_t verdict = 0;
        for (FlowHook* hook : of(flow.handle).hooks)
            if (const std::int32_t one = hook->on_packet(flow, packet, direction); one < 0) verdict = one;
        return verdict;
    }
    void describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept;
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept;
    void complete() noexcept;
    void on_discard(std::uint32_t handle) noexcept;

    // What the hooks keep of flows whose packets come next.
    void prefetch(std::span<const std::uint32_t> handles) const noexcept {
        for (const FlowStates* states : generations_[current_].states) states->prefetch(handles);
    }

private:
    struct Generation {  // flows that began under the same hooks
        void add(HookLink link);

        std::vector<HookLink> links;
        std::vector<FlowHook*> hooks;           // of the links, in their order
        std::vector<const FlowStates*> states;  // of those hooks that have some
        std::uint64_t flows = 0;
        bool used = false;
    };
    Generation& of(std::uint32_t handle) noexcept {
        return generations_[numbered_ && handle < number_of_.size() ? number_of_[handle] : 0];
    }
    void end(Generation& generation) noexcept;
    static void complete(const Generation& generation) noexcept;
    static void drop(Generation& generation) noexcept;

    std::vector<Generation> generations_;
    std::uint16_t current_ = 0;
    FlowHook* sole_ = nullptr;              // of all flows; null: there are none or several, now or before
    bool numbered_ = false;                 // more than one has been
    std::vector<std::uint16_t> number_of_;  // generation of a flow, by handle; of those beyond it the first
};

}  // namespace nfstreamd
