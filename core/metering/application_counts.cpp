// SPDX-License-Identifier: Apache-2.0
#include "core/metering/application_counts.hpp"

namespace nfstreamd {

void ApplicationCounts::enable() {
    places_ = std::make_unique<Places>();
    (*places_)[0].name = kNotDissected;
    (*places_)[1].name = kOther;
    used_.store(2, std::memory_order_release);
}

void ApplicationCounts::count(const FlowRecord& record) {
    Place& place = record.application == nullptr ? (*places_)[0] : place_of(record.application->name);
    place.flows.add();
    place.packets.add(record.packets());
    place.octets.add(record.forward.octets + record.reverse.octets);
}

// An application keeps its place when the rules change: names stay, nDPI's numbers may not.
ApplicationCounts::Place& ApplicationCounts::place_of(std::string_view name) {
    if (const auto known = by_name_.find(name); known != by_name_.end()) return *known->second;
    const std::size_t next = used_.load(std::memory_order_relaxed);
    if (next == places_->size()) return (*places_)[1];
    Place& place = (*places_)[next];
    place.name = name;
    by_name_.emplace(place.name, &place);
    used_.store(next + 1, std::memory_order_release);
    return place;
}

void ApplicationCounts::add_to(ApplicationCountsByName& totals) const {
    const std::size_t used = used_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < used; ++i) {
        const Place& place = (*places_)[i];
        if (place.flows.get() != 0) totals[place.name] += {place.flows.get(), place.packets.get(), place.octets.get()};
    }
}

}  // namespace nfstreamd
