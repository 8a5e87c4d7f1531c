// SPDX-License-Identifier: Apache-2.0
// The packet selectors of the captures that run now: what exporters announce.
// Written by the control thread, read by exporters' threads.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/selection/packet_selector.hpp"

namespace nfstreamd {

class SelectorList {
public:
    void add(const PacketSelector& selector) {
        const std::lock_guard lock(mutex_);
        selectors_.push_back(selector);
        version_.fetch_add(1);
    }
    void remove(std::uint32_t id) {
        const std::lock_guard lock(mutex_);
        std::erase_if(selectors_, [id](const PacketSelector& selector) { return selector.id == id; });
        version_.fetch_add(1);
    }

    std::vector<PacketSelector> all() const {
        const std::lock_guard lock(mutex_);
        return selectors_;
    }
    // Another one after each change; read before all().
    std::uint64_t version() const noexcept { return version_.load(); }

private:
    mutable std::mutex mutex_;
    std::vector<PacketSelector> selectors_;
    std::atomic<std::uint64_t> version_{0};
};

// A selector is on the list as long as this lives.
class AnnouncedSelector {
public:
    AnnouncedSelector() = default;
    AnnouncedSelector(std::shared_ptr<SelectorList> list, const PacketSelector& selector)
        : list_(std::move(list)), selector_(selector) {
        list_->add(selector_);
    }
    AnnouncedSelector(AnnouncedSelector&& other) noexcept
        : list_(std::move(other.list_)), selector_(std::move(other.selector_)) {}
    AnnouncedSelector& operator=(AnnouncedSelector&& other) noexcept {
        std::swap(list_, other.list_);
        std::swap(selector_, other.selector_);
        return *this;
    }
    ~AnnouncedSelector() {
        if (list_) list_->remove(selector_.id);
    }

    const PacketSelector& get() const noexcept { return selector_; }

private:
    std::shared_ptr<SelectorList> list_;
    PacketSelector selector_;
};

}  // namespace nfstreamd
