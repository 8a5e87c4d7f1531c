// SPDX-License-Identifier: Apache-2.0
#include "core/metering/hook_chain.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace nfstreamd {

// Of flows that were there before the chain nobody knows how many: their generation stays, empty as it is.
HookChain::HookChain(bool in_use) {
    constexpr std::uint64_t kForEver = std::uint64_t{1} << 63;
    Generation& first = generations_.emplace_back();
    first.flows = in_use ? kForEver : 0;
    first.used = true;
}

void HookChain::Generation::add(HookLink link) {
    hooks.push_back(link.hook.get());
    if (const auto* own = dynamic_cast<const FlowStates*>(link.hook.get())) states.push_back(own);
    links.push_back(std::move(link));
}

void HookChain::add(HookLink link) {
    Generation& first = generations_[current_];
    first.add(std::move(link));
    sole_ = first.hooks.size() == 1 ? first.hooks[0] : nullptr;
}

void HookChain::replace(std::vector<HookLink> links) {
    for (HookLink& link : links) {
        if (link.hook != nullptr) continue;
        for (const HookLink& former : generations_[current_].links)
            if (former.extension == link.extension) link.hook = former.hook;
    }
    std::erase_if(links, [](const HookLink& link) { return link.hook == nullptr; });
    const std::uint16_t former = current_;
    auto place = std::find_if(generations_.begin(), generations_.end(), [](const auto& g) { return !g.used; });
    if (place == generations_.end()) place = generations_.insert(place, Generation{});
    *place = {};
    place->used = true;
    for (HookLink& link : links) place->add(std::move(link));
    current_ = static_cast<std::uint16_t>(place - generations_.begin());
    numbered_ = true;
    sole_ = nullptr;
    if (generations_[former].flows == 0) drop(generations_[former]);
}

bool HookChain::empty() const noexcept {
    return std::all_of(generations_.begin(), generations_.end(), [](const auto& g) { return g.links.empty(); });
}

std::size_t HookChain::hooks() const noexcept {
    std::set<const FlowHook*> all;
    for (const Generation& generation : generations_)
        for (const HookLink& link : generation.links) all.insert(link.hook.get());
    return all.size();
}

std::int32_t HookChain::on_begin(const FlowView& flow, const Packet& packet) noexcept {
    if (numbered_) [[unlikely]] {
        if (flow.handle >= number_of_.size()) number_of_.resize(std::max<std::size_t>(flow.handle + 1, 1024));
        number_of_[flow.handle] = current_;
    }
    Generation& generation = generations_[current_];
    ++generation.flows;
    std::int32_t verdict = 0;
    for (FlowHook* hook : generation.hooks)
        if (const std::int32_t one = hook->on_begin(flow, packet); one < 0) verdict = one;
    return verdict;
}

void HookChain::describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    for (const HookLink& link : of(handle).links) link.hook->describe(handle, record, arena);
}

void HookChain::on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    Generation& generation = of(handle);
    for (const HookLink& link : generation.links) link.hook->on_expire(handle, record, arena);
    end(generation);
}

void HookChain::on_discard(std::uint32_t handle) noexcept {
    Generation& generation = of(handle);
    for (const HookLink& link : generation.links) link.hook->on_discard(handle);
    end(generation);
}

void HookChain::end(Generation& generation) noexcept {
    if (generation.flows != 0) --generation.flows;
    const bool is_current = &generation == &generations_[current_];
    if (generation.flows == 0 && !is_current) [[unlikely]]
        drop(generation);
}

void HookChain::complete() noexcept {
    for (const Generation& generation : generations_) complete(generation);
}

void HookChain::complete(const Generation& generation) noexcept {
    for (const HookLink& link : generation.links) link.hook->complete();
}

void HookChain::drop(Generation& generation) noexcept {
    complete(generation);
    generation = {};
}

}  // namespace nfstreamd
