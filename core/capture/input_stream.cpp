// SPDX-License-Identifier: Apache-2.0
#include "core/capture/input_stream.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace nfstreamd {

namespace {
// Stays in the second-level cache, and read(2) costs little per packet: mmap(2)
// was measured slower, and dies by SIGBUS when the file shrinks.
constexpr std::size_t kReadSize = 256 * 1024;
}  // namespace

InputStream::~InputStream() {
    if (descriptor_ > 0) ::close(descriptor_);
}

std::string InputStream::error_text() const {
    return std::generic_category().message(error_);
}

Status InputStream::open() {
    // Non-blocking only for the open itself: that of a FIFO would wait for a writer.
    descriptor_ = name_ == "-" ? STDIN_FILENO : ::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
        error_ = errno;
        return Error{ErrorCode::kIo, "cannot open capture file: " + error_text(), name_};
    }
    if (S_ISDIR(status.st_mode)) {
        error_ = EISDIR;
        return Error{ErrorCode::kIo, "cannot open capture file: " + error_text(), name_};
    }
    if (name_ != "-") ::fcntl(descriptor_, F_SETFL, O_RDONLY);
    regular_ = S_ISREG(status.st_mode);
    if (regular_) {
        size_ = static_cast<std::uint64_t>(status.st_size);
        ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    buffer_ = std::make_unique_for_overwrite<std::uint8_t[]>(kLargestUnread + kReadSize);
    cursor_ = end_ = buffer_.get();
    return ok();
}

InputStream::Fill InputStream::fill(WakeEvent& wake, std::chrono::milliseconds wait) noexcept {
    if (!regular_ && !at_end_ && !wake.wait(descriptor_, wait)) return Fill::kWaiting;
    return read_once();
}

InputStream::Fill InputStream::fill_blocking() noexcept {
    return read_once();
}

InputStream::Fill InputStream::read_once() noexcept {
    if (at_end_) return Fill::kEnd;
    const std::size_t left = unread().size();
    assert(left <= kLargestUnread);
    std::memmove(buffer_.get(), cursor_, left);
    cursor_ = buffer_.get();
    end_ = cursor_ + left;
    ssize_t count;
    do count = ::read(descriptor_, buffer_.get() + left, kReadSize);
    while (count < 0 && errno == EINTR);
    if (count < 0) {
        error_ = errno;
        return Fill::kError;
    }
    at_end_ = count == 0;
    end_ += count;
    read_ += static_cast<std::uint64_t>(count);
    return at_end_ ? Fill::kEnd : Fill::kMore;
}

}  // namespace nfstreamd
