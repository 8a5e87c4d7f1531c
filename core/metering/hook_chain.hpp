// SPDX-License-Identifier: Apache-2.0
// Several hooks as one: each sees every packet, in their order, and the last one
// that ends the flow says with which number. When they are replaced, flows that
// have begun stay with those that saw them begin; a hook goes after the last such
// flow. One metering thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/metering/flow_extension.hpp"

namespace nfstreamd {

class HookChain final : public FlowHook {
public:
    // `in_use`: flows have begun already, which none of the hooks will see.
    explicit HookChain(bool in_use = false);

    void add(HookLink link);  // before the first flow
    void replace(std::vector<HookLink> links);
    bool empty() const noexcept;         // nobody is called, now or for flows that have begun
    std::size_t hooks() const noexcept;  // there are, those of former flows included

    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept override;
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept override;
    void describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void complete() noexcept override;
    void on_discard(std::uint32_t handle) noexcept override;

private:
    struct Generation {  // flows that began under the same hooks
        std::vector<HookLink> links;
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
    bool numbered_ = false;                 // more than one has been
    std::vector<std::uint16_t> number_of_;  // generation of a flow, by handle; of those beyond it the first
};

}  // namespace nfstreamd
