// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/rotating_transport.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace nfstreamd::exporters {

RotatingTransport::RotatingTransport(std::string path, bool append, RotationLimits limits, Pieces pieces,
                                     Logger& logger, Clock clock)
    : path_(std::move(path)),
      append_(append),
      compressed_(!compression_suffix(path_).empty()),
      limits_(limits),
      pieces_(std::move(pieces)),
      logger_(logger),
      clock_(std::move(clock)),
      file_(path_, append_ && !compressed_, make_compressor(path_)) {}

RotatingTransport::~RotatingTransport() {
    close();
}

Status RotatingTransport::open(std::string_view preamble) {
    preamble_ = preamble;
    if (!taken_over_)
        if (auto status = take_over(); !status) return status;
    if (nameless_)
        if (auto status = put_away(end_of_piece(clock_())); !status) return status;
    if (auto status = file_.open(preamble_); !status) return status;
    return is_full() ? finish_piece() : ok();
}

// What is at the path before our first open.
Status RotatingTransport::take_over() {
    struct stat info {};
    const bool exists = ::stat(path_.c_str(), &info) == 0;
    if (!exists && errno != ENOENT)
        return Error{error_code(errno), "cannot inspect: " + std::generic_category().message(errno), path_};
    if (exists && !S_ISREG(info.st_mode))
        return Error{ErrorCode::kInvalidArgument, "cannot be rotated: it is not a regular file", path_};
    if (append_) pieces_.go_on();
    interval_ = interval(clock_());
    if (exists && info.st_size > 0 && (append_ || pieces_.is_stamped())) {
        const auto same_columns = begins_with(path_, preamble_);
        if (!same_columns) return same_columns.error();
        const bool no_messages = same_columns.value() && static_cast<std::size_t>(info.st_size) == preamble_.size();
        const auto written = std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec);
        if (!no_messages && !(same_columns.value() && can_go_on(written)))
            if (auto status = put_away(written); !status) return status;
    }
    taken_over_ = true;
    return ok();
}

// A compressed stream may have no end; of how many messages a file has, we know
// nothing.
bool RotatingTransport::can_go_on(Pieces::Time written) const {
    return append_ && !compressed_ && limits_.messages == 0 && interval(written) == interval_;
}

Status RotatingTransport::send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) {
    while (sent < ends.size()) {
        const std::size_t begin = sent == 0 ? 0 : ends[sent - 1];
        if (is_due() || !has_room_for(ends[sent] - begin))
            if (auto status = finish_piece(); !status) return status;
        const std::size_t count = count_that_fit(ends.subspan(sent), begin);
        ends_.assign(ends.begin() + static_cast<std::ptrdiff_t>(sent),
                     ends.begin() + static_cast<std::ptrdiff_t>(sent + count));
        for (std::size_t& end : ends_) end -= begin;
        std::size_t part = 0;
        auto status = file_.send(bytes.substr(begin, ends_.back()), ends_, part);
        sent += part;
        if (!status) return status;
        if (is_full())
            if (status = finish_piece(); !status) return status;
    }
    return ok();
}

Status RotatingTransport::flush() {
    return is_due() ? finish_piece() : file_.flush();
}

bool RotatingTransport::is_full() const noexcept {
    return limits_.messages > 0 && file_.messages() >= limits_.messages;
}

// The end of an interval in which nothing came is no reason for a piece.
bool RotatingTransport::is_due() {
    if (limits_.every.count() == 0) return false;
    const Interval now = interval(clock_());
    if (!has_messages()) interval_ = now;
    return interval_ != now;
}

// What is compressed shows its size only when a block is out.
bool RotatingTransport::has_room_for(std::size_t octets) const noexcept {
    if (limits_.size == 0 || !has_messages()) return true;
    return compressed_ ? file_.size() < limits_.size : file_.size() + octets <= limits_.size;
}

std::size_t RotatingTransport::count_that_fit(std::span<const std::size_t> ends, std::size_t begin) const noexcept {
    std::size_t count = ends.size();
    if (limits_.messages > 0) count = std::min<std::size_t>(count, limits_.messages - file_.messages());
    if (limits_.size > 0 && !compressed_) {
        const std::uint64_t room = limits_.size - std::min(limits_.size, file_.size());
        const auto first_beyond = std::upper_bound(ends.begin(), ends.end(), begin + room);
        count = std::min(count, static_cast<std::size_t>(first_beyond - ends.begin()));
    }
    return std::max<std::size_t>(count, 1);  // a message of more than a file's size has one alone
}

// In steps that can each fail, and are done once: the next open() goes on.
Status RotatingTransport::finish_piece() {
    if (auto status = file_.finish(); !status) return status;
    nameless_ = !file_.replaced();
    file_.close();
    if (nameless_)
        if (auto status = put_away(end_of_piece(clock_())); !status) return status;
    return file_.open(preamble_);
}

// A file that somebody else has taken away needs no name any more.
Status RotatingTransport::put_away(Pieces::Time finished) {
    auto status = pieces_.put_away(finished);
    if (!status && status.error().code != ErrorCode::kNotFound) return status;
    nameless_ = false;
    interval_ = interval(clock_());
    if (status) status = pieces_.remove_old();
    if (!status) warn(status.error());
    return ok();
}

void RotatingTransport::close() noexcept {
    const bool ours = file_.is_open() && !file_.replaced();
    if (ours && !has_messages()) {
        ::unlink(path_.c_str());
        file_.close();
        return;
    }
    const bool complete = file_.is_open() && file_.finish().has_value();
    file_.close();
    nameless_ = nameless_ || (ours && complete && !pieces_.is_stamped());
    if (!nameless_) return;
    if (auto status = put_away(end_of_piece(clock_())); !status) warn(status.error());
}

RotatingTransport::Interval RotatingTransport::interval(Pieces::Time time) const noexcept {
    if (limits_.every.count() == 0) return 0;
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()) / limits_.every;
}

// A piece that its time has ended is named by that moment, not by ours.
Pieces::Time RotatingTransport::end_of_piece(Pieces::Time now) const noexcept {
    if (limits_.every.count() == 0 || interval(now) <= interval_) return now;
    return Pieces::Time(limits_.every * (interval_ + 1));
}

void RotatingTransport::warn(const Error& error) noexcept {
    if (const auto held = log_.admit(); held >= 0)
        logger_.warning("rotated file", {{"error", error.text()}, {"suppressed", held}});
}

}  // namespace nfstreamd::exporters
