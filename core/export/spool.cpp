// SPDX-License-Identifier: Apache-2.0
#include "core/export/spool.hpp"

#include <algorithm>
#include <utility>

namespace nfstreamd {
namespace {

using namespace std::chrono_literals;

constexpr auto kTendEvery = 1s, kRetryAfter = 1s, kOpenAgainAfter = 5s;
constexpr std::uint64_t kSegmentsOfFull = 16;  // so much of a full spool is free again at a time
constexpr std::uint64_t kSmallestSegment = 64 << 10, kLargestSegment = 16 << 20;

std::uint64_t segment_octets(const SpoolOptions& options) {
    return std::clamp(options.max_octets / kSegmentsOfFull, kSmallestSegment, kLargestSegment);
}

SpoolPosition begin_of(std::uint64_t segment) {
    return {.segment = segment, .offset = SpoolSegment::kHeader, .before = 0, .skip = 0};
}

}  // namespace

Spool::Spool(const SpoolOptions& options, const std::string& name, Logger& logger)
    : options_(options), folder_(options.directory, name), logger_(logger) {}

Spool::~Spool() {
    close();
}

bool Spool::ready(Clock::time_point now) {
    if (folder_.is_open()) return true;
    if (now < next_open_) return false;
    next_open_ = now + kOpenAgainAfter;
    if (auto opened = open(); !opened) note_failure(opened.error());
    return folder_.is_open();
}

Status Spool::open() {
    if (auto opened = folder_.open(); !opened) return opened;
    const auto numbers = folder_.segments();
    const SpoolPosition cursor = folder_.cursor().value_or(SpoolPosition{});
    next_number_ = std::max(cursor.segment, numbers.empty() ? 0 : numbers.back()) + 1;
    read_ = begin_of(next_number_);
    for (const auto number : numbers) recover(number, cursor);
    committed_ = stored_ = read_;  // what is there leads to this place again
    counters_.recovered.add(unread_);
    note_gauges();
    if (unread_ > 0)
        logger_.info("records of an earlier run are in the spool",
                     {{"path", folder()}, {"records", unread_}, {"octets", octets_}});
    return ok();
}

// Takes the whole entries at its beginning, and is at the place of the cursor if that is in it.
void Spool::recover(std::uint64_t number, const SpoolPosition& cursor) {
    if (number < cursor.segment) return folder_.remove(number);
    auto opened = SpoolSegment::open(folder_.segment(number));
    if (!opened) return set_aside(number, opened.error());
    SpoolSegment& segment = *opened.value();

    Part part{.number = number, .octets = SpoolSegment::kHeader};
    SpoolPosition from = begin_of(number);
    while (const auto entry = segment.entry_at(part.octets)) {
        if (number == cursor.segment && part.octets <= cursor.offset) {
            from.offset = part.octets;
            from.before = part.records;
            from.skip = part.octets == cursor.offset ? std::min<std::uint64_t>(cursor.skip, entry->records) : 0;
        }
        part.octets += SpoolSegment::kEntryHeader + entry->octets;
        part.records += entry->records;
    }
    if (number == cursor.segment && cursor.offset >= part.octets)
        from = {.segment = number, .offset = part.octets, .before = part.records, .skip = 0};
    if (const auto torn = segment.octets() - part.octets; torn > 0) {
        counters_.torn_octets.add(torn);
        logger_.warning("the end of a spool's segment is not whole",
                        {{"path", folder_.segment(number)}, {"octets", torn}});
        if (auto cut = segment.cut_off(part.octets); !cut) note_failure(cut.error());
    }
    const auto unread = part.records - from.before - from.skip;
    if (unread == 0) return folder_.remove(number);
    if (parts_.empty()) read_ = from;
    parts_.push_back(part);
    octets_ += part.octets;
    unread_ += unread;
}

void Spool::set_aside(std::uint64_t number, const Error& why) {
    if (why.code != ErrorCode::kInvalidArgument) return note_failure(why);
    counters_.foreign_segments.add();
    const bool kept = folder_.set_aside(number, options_.max_octets);
    logger_.warning(kept ? "segment of a spool set aside" : "segment of a spool removed", {{"error", why.text()}});
}

bool Spool::append(std::span<const FlowRecord> records) {
    if (records.empty()) return true;
    SpoolSegment::encode(records, entry_);
    full_ = octets_ + entry_.size() > options_.max_octets;
    if (full_) {
        note_full();
        return false;
    }
    const bool fits = writer_ && writer_->sound() && writer_->octets() + entry_.size() <= segment_octets(options_);
    const auto written = !fits && !make_segment() ? Status(Error{}) : writer_->append(entry_);
    if (!written) {
        if (writer_) note_failure(written.error());
        retry_ = Clock::now() + kRetryAfter;
        return false;
    }
    Part& part = parts_.back();
    part.octets += entry_.size();
    part.records += records.size();
    octets_ += entry_.size();
    if (unread_ == 0) note_oldest(SpoolSegment::oldest_ms(records));
    unread_ += records.size();
    unsynced_ = true;
    counters_.written.add(records.size());
    counters_.octets.set(octets_);
    counters_.records.set(unread_);
    return true;
}

void Spool::count_dropped(std::uint64_t records) {
    (full_ ? counters_.dropped_full : counters_.dropped_failed).add(records);
}

// False: it could not, and has told.
bool Spool::make_segment() {
    sync_segment();
    writer_.reset();
    auto made = SpoolSegment::create(folder_.segment(next_number_));
    if (!made) {
        note_failure(made.error());
        return false;
    }
    writer_ = std::move(made.value());
    parts_.push_back({.number = next_number_++, .octets = SpoolSegment::kHeader});
    octets_ += SpoolSegment::kHeader;
    counters_.segments.set(parts_.size());
    return true;
}

std::deque<Spool::Part>::iterator Spool::find(std::uint64_t number) {
    return std::lower_bound(parts_.begin(), parts_.end(), number,
                            [](const Part& part, std::uint64_t wanted) { return part.number < wanted; });
}

SpooledRecords Spool::read() {
    if (Clock::now() < read_again_) return {};
    while (unread_ > 0 && next_part()) {
        const Status opened = open_part();
        if (!opened && opened.error().code == ErrorCode::kIo) {  // it may go later on
            read_again_ = Clock::now() + kRetryAfter;
            return {};
        }
        const auto entry = opened ? reader_->entry_at(read_.offset) : std::nullopt;
        if (!entry) {
            discard_rest_of_part();
            continue;
        }
        const SpoolPosition place = read_;
        const auto records = entry->records - std::min<std::uint64_t>(place.skip, entry->records);
        read_.offset += SpoolSegment::kEntryHeader + entry->octets;
        read_.before += entry->records;
        read_.skip = 0;
        unread_ -= std::min(unread_, records);
        counters_.records.set(unread_);
        if (records == 0) continue;
        if (auto batch = reader_->read(place.offset, *entry)) {
            counters_.read.add(records);
            return {std::move(batch), place};
        }
        counters_.discarded.add(records);
        note_failure({ErrorCode::kIo, "damaged: records are discarded", folder_.segment(place.segment)});
    }
    return {};
}

// Leaves a segment of which nothing is left; false: there is none after it.
bool Spool::next_part() {
    auto part = find(read_.segment);
    while (part != parts_.end() && (part->number < read_.segment || read_.offset >= part->octets)) {
        if (++part != parts_.end()) read_ = begin_of(part->number);
    }
    if (part == parts_.end()) return false;
    if (part->number > read_.segment) read_ = begin_of(part->number);
    return true;
}

Status Spool::open_part() {
    if (reader_ && reader_number_ == read_.segment) return ok();
    reader_number_ = read_.segment;
    if (writer_ && parts_.back().number == read_.segment) {
        reader_ = writer_;
        return ok();
    }
    auto opened = SpoolSegment::open(folder_.segment(read_.segment));
    reader_ = opened ? opened.value() : nullptr;
    if (opened) return ok();
    note_failure(opened.error());
    return opened.error();
}

// Without a sound header nobody can tell where the next entry begins.
void Spool::discard_rest_of_part() {
    const Part& part = *find(read_.segment);
    const auto lost = part.records - std::min(part.records, read_.before + read_.skip);
    read_ = {.segment = part.number, .offset = part.octets, .before = part.records, .skip = 0};
    unread_ -= std::min(unread_, lost);
    counters_.records.set(unread_);
    counters_.discarded.add(lost);
    note_failure({ErrorCode::kIo, "damaged: its last records are discarded", folder_.segment(part.number)});
}

// What lies between and was discarded is met again, and must not count twice.
void Spool::rewind(const SpoolPosition& position, std::uint64_t records) {
    const std::uint64_t before = unread_ + records;
    read_ = position;
    unread_ = 0;
    for (auto part = find(position.segment); part != parts_.end(); ++part) unread_ += part->records;
    unread_ -= std::min(unread_, position.before + position.skip);
    counters_.discarded.set(counters_.discarded.get() - (unread_ - std::min(unread_, before)));
    counters_.records.set(unread_);
}

void Spool::commit(const SpoolPosition& position) {
    if (position == committed_) return;
    committed_ = position;
    while (!parts_.empty() && parts_.front().number < position.segment) remove_first();
    if (unread_ > 0 || position != read_ || parts_.empty()) return;
    while (!parts_.empty()) remove_first();
    read_ = committed_ = begin_of(next_number_);
    note_gauges();
}

void Spool::remove_first() {
    const Part& part = parts_.front();
    if (writer_ && parts_.size() == 1) {
        writer_.reset();
        unsynced_ = false;
    }
    if (reader_number_ == part.number) reader_.reset();
    folder_.remove(part.number);
    octets_ -= part.octets;
    full_ = false;
    parts_.pop_front();
    counters_.octets.set(octets_);
    counters_.segments.set(parts_.size());
}

void Spool::tend(Clock::time_point now) {
    if (now < next_tend_) return;
    next_tend_ = now + kTendEvery;
    sync_segment();
    write_cursor();
    note_gauges();
}

void Spool::sync_segment() {
    if (!std::exchange(unsynced_, false)) return;
    if (auto synced = writer_->sync(); !synced) note_failure(synced.error());
}

void Spool::write_cursor() {
    if (committed_ == stored_) return;
    if (auto written = folder_.write_cursor(committed_); !written) return note_failure(written.error());
    stored_ = committed_;
}

void Spool::note_gauges() {
    if (unread_ > 0 && next_part() && open_part())
        if (const auto entry = reader_->entry_at(read_.offset)) note_oldest(entry->oldest_ms);
    counters_.records.set(unread_);
    counters_.octets.set(octets_);
    counters_.segments.set(parts_.size());
}

// Before `records`, and it stays when they are gone: whoever sees records sees a time.
void Spool::note_oldest(std::int64_t since_1970) {
    counters_.oldest_ms.set(static_cast<std::uint64_t>(std::max<std::int64_t>(since_1970, 0)));
}

void Spool::close() {
    if (!folder_.is_open()) return;
    sync_segment();
    write_cursor();
    note_gauges();
    writer_.reset();
    reader_.reset();
    folder_.close();
}

void Spool::note_failure(const Error& error) {
    counters_.failures.add();
    if (const auto suppressed = failure_log_.admit(); suppressed >= 0)
        logger_.error("spool failing", {{"path", folder()}, {"error", error.text()}, {"suppressed", suppressed}});
}

void Spool::note_full() {
    if (const auto suppressed = full_log_.admit(); suppressed >= 0)
        logger_.warning("spool is full", {{"path", folder()},
                                          {"max_octets", options_.max_octets},
                                          {"records", unread_},
                                          {"suppressed", suppressed}});
}

}  // namespace nfstreamd
