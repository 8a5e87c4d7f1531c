// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/file_transport.hpp"

#include <algorithm>
#include <utility>

namespace nfstreamd::exporters {
namespace {

constexpr auto kLongestSend = std::chrono::seconds(2);
constexpr std::size_t kBlock = 256 * 1024;  // of messages that are compressed at once

// Lines, not messages of IPFIX, which begin with their version.
bool is_text(std::string_view bytes) {
    return !bytes.empty() && bytes.front() >= ' ' && bytes.back() == '\n';
}

}  // namespace

FileTransport::FileTransport(std::string path, bool append, std::unique_ptr<Compressor> compressor)
    : file_(path), path_(std::move(path)), append_(append), compressor_(std::move(compressor)) {}

FileTransport::~FileTransport() {
    close();
}

Status FileTransport::open(std::string_view preamble) {
    preamble_ = preamble;
    return reopen();
}

Status FileTransport::reopen() {
    if (auto status = file_.open(!append_ && !opened_); !status) return status;
    auto status = compressor_ ? begin_stream() : begin();
    if (!status) file_.close();
    return status;
}

// A file gets its preamble when it is empty, standard output once, and whatever
// else is behind the path may be new each time that it is opened.
Status FileTransport::begin() {
    opened_ = true;
    if (file_.regular() && !file_.is_former()) partial_ = 0;
    if (file_.is_standard_output()) {
        if (began_) return ok();
    } else if (!file_.regular()) {
        partial_ = 0;
    } else if (file_.size() > 0) {
        return ours_ && file_.is_former() ? ok() : take_on();
    }
    messages_ = 0;
    ours_ = true;
    return put_preamble();
}

// A file that was there: lines of other columns must not follow under its header.
Status FileTransport::take_on() {
    ours_ = false;
    const auto continues = begins_with(path_, preamble_);
    if (!continues) return continues.error();
    if (!continues.value())
        return Error{ErrorCode::kInvalidArgument,
                     "cannot append: it begins with another header than the chosen fields have; move it away", path_};
    messages_ = file_.size() > preamble_.size() ? 1 : 0;
    ours_ = taken_on_ = true;
    return ok();
}

// Who was killed, or lost its machine, may have left half a line: the next one is not to be taken for its rest.
Status FileTransport::end_torn_line() {
    std::size_t written = 0;
    if (!ends_with_a_line(path_))
        if (auto status = file_.write("\n", written, OutputFile::Clock::now() + kLongestSend); !status) return status;
    octets_ += written;
    taken_on_ = false;
    return ok();
}

Status FileTransport::put_preamble() {
    if (preamble_.empty()) return ok();
    const std::size_t end = preamble_.size();
    std::size_t sent = 0;
    const auto status = send(preamble_, {&end, 1}, sent);
    began_ = status.has_value();
    messages_ = 0;
    return status;
}

// A file that is as we left it goes on in the midst of its stream. Anything else
// gets a new one, with what is held; readers take two streams in one file for one.
Status FileTransport::begin_stream() {
    opened_ = true;
    if (held_.empty()) held_messages_ = 0;
    if (stream_begun_ && file_.regular() && file_.is_former() && file_.size() == end_) return ok();
    packed_.clear();
    partial_ = 0;
    messages_ = held_messages_;
    end_ = file_.size();
    preamble_due_ = !file_.regular() || end_ == 0;
    stream_begun_ = false;
    if (auto status = compressor_->begin(); !status) return status;
    stream_begun_ = true;
    return ok();
}

// What was written to a file that nobody can open any more goes to its successor.
Status FileTransport::send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) {
    if (compressor_) return hold(bytes, ends, sent);
    if (taken_on_ && is_text(bytes))
        if (auto status = end_torn_line(); !status) return status;
    std::size_t written = partial_;
    const auto status = file_.write(bytes, written, OutputFile::Clock::now() + kLongestSend);
    if (status && file_.removed()) {
        sent = partial_ = 0;
        if (auto reopened = reopen(); !reopened) return reopened;
        return send(bytes, ends, sent);
    }
    sent = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), written) - ends.begin());
    messages_ += sent;
    const std::size_t whole = sent == 0 ? 0 : ends[sent - 1];
    octets_ += written - partial_;
    partial_ = written - whole;
    // where it cannot be taken back, the next send goes on inside the message
    if (file_.regular() && partial_ > 0 && file_.cut_off(partial_)) octets_ -= std::exchange(partial_, 0);
    return status;
}

Status FileTransport::hold(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) {
    if (!packed_.empty() || held_.size() >= kBlock)
        if (auto status = write_out(Compressor::Then::kFlush); !status) return status;
    held_ += bytes;
    held_messages_ += ends.size();
    messages_ += ends.size();
    sent = ends.size();
    return held_.size() < kBlock ? ok() : write_out(Compressor::Then::kFlush);
}

Status FileTransport::pack(Compressor::Then then) {
    if (!stream_begun_)
        if (auto status = compressor_->begin(); !status) return status;
    stream_begun_ = true;
    const std::string text = preamble_due_ ? preamble_ + held_ : std::string();
    packed_then_ = then;
    auto status = compressor_->compress(text.empty() ? held_ : text, then, packed_);
    if (status) {
        preamble_due_ = false;
    } else {  // nothing of it is out: the next try begins a stream of its own
        packed_.clear();
        stream_begun_ = false;
    }
    return status;
}

// What is held stays until it is out, so that a new file can have it.
Status FileTransport::write_out(Compressor::Then then) {
    if (packed_.empty()) {
        if (held_.empty() && then == Compressor::Then::kFlush) return ok();
        if (auto status = pack(then); !status) return status;
    }
    const std::size_t before = partial_;
    auto status = file_.write(packed_, partial_, OutputFile::Clock::now() + kLongestSend);
    octets_ += partial_ - before;
    if (!status && file_.regular() && partial_ > 0 && file_.cut_off(partial_)) octets_ -= std::exchange(partial_, 0);
    end_ = file_.size();
    if (!status) return status;
    if (!held_.empty() && file_.removed()) {
        if (auto reopened = reopen(); !reopened) return reopened;
        return write_out(then);
    }
    held_.clear();
    held_messages_ = 0;
    packed_.clear();
    partial_ = 0;
    if (packed_then_ == Compressor::Then::kEnd) stream_begun_ = false;
    return ok();
}

Status FileTransport::flush() {
    if (compressor_)
        if (auto status = write_out(Compressor::Then::kFlush); !status) return status;
    if (!file_.replaced()) return ok();
    if (auto status = finish(); !status) return status;
    return reopen();
}

Status FileTransport::finish() {
    if (!compressor_) return ok();
    if (auto status = write_out(Compressor::Then::kFlush); !status) return status;
    return stream_begun_ ? write_out(Compressor::Then::kEnd) : ok();
}

void FileTransport::close() noexcept {
    if (compressor_ && file_.is_open()) (void)finish();  // what it fails to write is in held()
    held_.clear();
    packed_.clear();
    stream_begun_ = false;
    file_.close();
}

}  // namespace nfstreamd::exporters
