// SPDX-License-Identifier: Apache-2.0
#include "core/metering/table_reader.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <type_traits>

#include "core/base/random_words.hpp"

namespace nfstreamd {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kPlacesAtOnce = 512;
constexpr std::size_t kRecordsAtOnce = 64;
constexpr int kRestPerWork = 4;                        // while packets come
constexpr std::chrono::seconds kForgetLooksAfter{60};  // nobody looks any more

FlowParts parts_of(const FilterExpression* filter) {
    FlowParts parts = FlowParts::none();
    if (filter == nullptr) return parts;
    const auto uses = [&](auto... groups) { return (filter->uses(groups) || ...); };
    parts.statistics = uses(IeGroup::kStatistics, IeGroup::kMoments);
    parts.sequence = uses(IeGroup::kSplt);
    parts.application = uses(IeGroup::kApplication, IeGroup::kDetails, IeGroup::kL7Details);
    parts.tunnel = uses(IeGroup::kTunnel, IeGroup::kEncapsulation);
    parts.tcp_quality = uses(IeGroup::kTcpQuality);
    parts.process = uses(IeGroup::kSystem);
    parts.enrichment = uses(IeGroup::kEnrichment);
    parts.declared = uses(IeGroup::kDeclared);
    return parts;
}

}  // namespace

std::uint64_t rank_of(const FlowRecord& record, FlowOrder order) noexcept {
    switch (order) {
        case FlowOrder::kOctets:
            return record.forward.octets + record.reverse.octets;
        case FlowOrder::kPackets:
            return record.packets();
        case FlowOrder::kDuration:
            return static_cast<std::uint64_t>(record.last() - record.first());
        case FlowOrder::kNewest:
            return static_cast<std::uint64_t>(record.first());
        case FlowOrder::kOldest:
            return ~static_cast<std::uint64_t>(record.first());
        case FlowOrder::kLast:
            return static_cast<std::uint64_t>(record.last());
    }
    return 0;
}

std::size_t TableReader::AddressHash::operator()(const IpAddress& address) const noexcept {
    std::uint64_t words[2];
    std::memcpy(words, address.bytes.data(), sizeof words);
    return multiply_mix(words[0] ^ secret[0], words[1] ^ secret[1] ^ address.version);
}

TableReader::TableReader(FlowMeter<FlowKeyV4>& v4, FlowMeter<FlowKeyV6>& v6)
    : v4_(v4), v6_(v6), hash_{random_words<2>()} {}

bool TableReader::step(Clock::time_point now, bool busy) {
    if (inquiries_.empty()) {
        if (looked_ && now - *looked_ > kForgetLooksAfter) {
            looked_.reset();
            v4_.forget_looks();
            v6_.forget_looks();
        }
        return false;
    }
    if (busy && now < next_) return true;
    if (!begun_) begin_next();
    if (advance()) {
        inquiries_.pop_front();
        begun_ = false;
    }
    const auto end = Clock::now();
    next_ = end + kRestPerWork * (end - now);
    return !inquiries_.empty();
}

void TableReader::end() {
    for (const Inquiry& inquiry : inquiries_) std::visit([](const auto& asked) { asked->finish(false); }, inquiry);
    inquiries_.clear();
}

void TableReader::begin_next() {
    begun_ = true;
    began_ = Clock::now();
    in_v6_ = building_ = false;
    place_ = 0;
    built_ = 0;
    candidates_.clear();
    if (FlowListing* listing = current_listing()) {
        parts_ = parts_of(listing->filter.get());
        listing->found.tables = tables_;
    } else {
        activity_.emplace(hash_);
    }
}

FlowListing* TableReader::current_listing() const {
    if (!begun_ || inquiries_.empty()) return nullptr;
    const auto* listing = std::get_if<std::shared_ptr<FlowListing>>(&inquiries_.front());
    return listing ? listing->get() : nullptr;
}

void TableReader::set_tables(std::shared_ptr<const void> tables) {
    using Both = std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>;
    tables_ = std::move(tables);
    if (FlowListing* listing = current_listing())  // records made so far borrow from those before
        listing->found.tables = std::make_shared<Both>(listing->found.tables, tables_);
}

// True: it has its answer.
bool TableReader::advance() {
    return std::visit([this](const auto& asked) { return advance(*asked); }, inquiries_.front());
}

// A part of both tables, one after the other. True: that was all.
template <class Asked>
bool TableReader::scan_both(Asked& asked) {
    if (in_v6_) return scan(v6_, asked);
    if (!scan(v4_, asked)) return false;
    in_v6_ = true;
    place_ = 0;
    return false;
}

// ---- flows ----

bool TableReader::advance(FlowListing& listing) {
    if (building_) {
        build(listing);
        if (built_ < candidates_.size()) return false;
        listing.finish(scanned_);
        return true;
    }
    scanned_ = scan_both(listing);
    if (!scanned_ && !listing.cancelled()) return false;
    building_ = true;
    std::sort_heap(candidates_.begin(), candidates_.end(), std::greater<>());
    return false;
}

// True: that was all of this family.
template <class Meter>
bool TableReader::scan(Meter& meter, FlowListing& listing) {
    const std::uint32_t end = std::min(meter.places(), place_ + kPlacesAtOnce);
    scratch_ = Arena();
    for (; place_ < end; ++place_) {
        FlowRecord record;
        if (!meter.describe(place_, parts_, record, scratch_)) continue;
        ++listing.flows;
        if (listing.filter && !listing.filter->matches(record)) continue;
        ++listing.matching;
        const Candidate candidate{rank_of(record, listing.order), place_, std::is_same_v<Meter, FlowMeter<FlowKeyV6>>,
                                  record.first()};
        if (candidates_.size() == listing.limit) {
            if (candidates_.empty() || !(candidate > candidates_.front())) continue;
            std::pop_heap(candidates_.begin(), candidates_.end(), std::greater<>());
            candidates_.pop_back();
        }
        candidates_.push_back(candidate);
        std::push_heap(candidates_.begin(), candidates_.end(), std::greater<>());
    }
    return place_ >= meter.places();
}

// Some of the records that were found, unless the flow has ended since.
void TableReader::build(FlowListing& listing) {
    const FlowParts parts = FlowParts::all();
    const std::size_t end = std::min(candidates_.size(), built_ + kRecordsAtOnce);
    for (; built_ < end; ++built_) {
        const Candidate& candidate = candidates_[built_];
        FlowRecord record;
        const bool there = candidate.v6 ? v6_.describe(candidate.index, parts, record, listing.found.arena)
                                        : v4_.describe(candidate.index, parts, record, listing.found.arena);
        if (there && record.first() == candidate.first) listing.found.records.push_back(record);
    }
}

// ---- activity ----

bool TableReader::advance(FlowActivity& activity) {
    if (!v4_.keep_looks() || !v6_.keep_looks()) {  // no memory to remember anything
        activity.finish(false);
        return true;
    }
    const bool scanned = scan_both(activity);
    if (!scanned && !activity.cancelled()) return false;
    conclude(activity);
    activity.finish(scanned);
    return true;
}

template <class Meter>
bool TableReader::scan(Meter& meter, FlowActivity& activity) {
    const std::uint32_t end = std::min(meter.places(), place_ + kPlacesAtOnce);
    for (; place_ < end; ++place_) {
        FlowLook look;
        if (!meter.look(place_, look)) continue;
        ++activity.flows;
        if (look.packets[0] + look.packets[1] == 0) continue;
        ++activity.active;
        for (int d = 0; d < 2; ++d) {
            FlowActivity::Talker& talker = activity_->talkers[look.address[d]];
            talker.sent_octets += look.octets[d];
            talker.sent_packets += look.packets[d];
            talker.received_octets += look.octets[1 - d];
            talker.received_packets += look.packets[1 - d];
            ++talker.flows;
        }
        if (look.application_name.empty()) continue;
        FlowActivity::Application& application = activity_->applications[look.application];
        if (application.name.empty()) application.name = look.application_name;
        application.octets += look.octets[0] + look.octets[1];
        application.packets += look.packets[0] + look.packets[1];
        ++application.flows;
    }
    return place_ >= meter.places();
}

void TableReader::conclude(FlowActivity& activity) {
    if (looked_) activity.window = began_ - *looked_;
    looked_ = began_;
    activity.talkers = activity_->talkers.top(FlowActivity::kTalkers);
    activity.talker_error = activity_->talkers.error();
    for (auto& [id, application] : activity_->applications.top(FlowActivity::kApplications))
        activity.applications.push_back(std::move(application));
    activity_.reset();
}

}  // namespace nfstreamd
