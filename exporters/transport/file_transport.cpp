// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/file_transport.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <system_error>
#include <utility>

namespace nfstreamd::exporters {
namespace {

constexpr int kPatienceMs = 500;  // for a reader that takes nothing
constexpr auto kLongestSend = std::chrono::seconds(2);

ErrorCode code_of(int error) {
    switch (error) {
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorCode::kPermission;
        case ENOENT:
        case ENOTDIR:
            return ErrorCode::kNotFound;
        case EISDIR:
        case ENAMETOOLONG:
        case ELOOP:
            return ErrorCode::kInvalidArgument;
        case ENXIO:
        case EPIPE:
            return ErrorCode::kUnavailable;
        default:
            return ErrorCode::kIo;
    }
}

}  // namespace

FileTransport::FileTransport(std::string path, bool append) : path_(std::move(path)), append_(append) {}

FileTransport::~FileTransport() {
    close();
}

std::string FileTransport::description() const {
    return is_standard_output() ? "standard output" : path_;
}

Error FileTransport::failure(std::string_view what, int error) const {
    return {code_of(error), std::string(what) + ": " + std::generic_category().message(error), description()};
}

Status FileTransport::open(std::string_view preamble) {
    close();
    if (auto status = open_descriptor(); !status) return status;
    auto status = inspect();
    if (status) status = begin(preamble);
    if (!status) close();
    return status;
}

// O_NONBLOCK: a named pipe without a reader is an error to try again after, not
// a thread that hangs.
Status FileTransport::open_descriptor() {
    if (is_standard_output()) {
        if (reader_gone_) return Error{ErrorCode::kNotFound, "its reader has gone", description()};
        descriptor_ = STDOUT_FILENO;
        return ok();
    }
    const int empty = append_ || opened_ ? 0 : O_TRUNC;
    do descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | empty, 0666);
    while (descriptor_ < 0 && errno == EINTR);
    if (descriptor_ < 0) return failure("cannot open for writing", errno);
    return ok();
}

Status FileTransport::inspect() {
    struct stat info {};
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (::fstat(descriptor_, &info) != 0 || flags < 0) return failure("cannot inspect", errno);
    regular_ = S_ISREG(info.st_mode);
    non_blocking_ = (flags & O_NONBLOCK) != 0;
    empty_ = regular_ && info.st_size == 0;
    return ok();
}

// A file gets its preamble when it is empty, standard output once, and whatever
// else is behind the path may be new each time that it is opened.
Status FileTransport::begin(std::string_view preamble) {
    opened_ = true;
    if (is_standard_output()) {
        if (began_) return ok();
    } else if (!regular_) {
        partial_ = 0;
    } else if (!empty_) {
        return append_ ? check_beginning(preamble) : ok();
    }
    if (preamble.empty()) return ok();
    const std::size_t end = preamble.size();
    std::size_t sent = 0;
    const auto status = send(preamble, {&end, 1}, sent);
    began_ = status.has_value();
    return status;
}

// Lines of other columns must not follow under this header.
Status FileTransport::check_beginning(std::string_view preamble) const {
    if (preamble.empty()) return ok();
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failure("cannot read what is to be appended to", errno);
    std::string present(preamble.size(), '\0');
    const auto length = ::pread(descriptor, present.data(), present.size(), 0);
    ::close(descriptor);
    if (length == static_cast<ssize_t>(preamble.size()) && present == preamble) return ok();
    return Error{ErrorCode::kInvalidArgument,
                 "cannot append: it begins with another header than the chosen fields have; move it away", path_};
}

Status FileTransport::send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) {
    std::size_t written = partial_;
    const auto status = regular_ ? write_file(bytes, written) : write_stream(bytes, written);
    sent = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), written) - ends.begin());
    const std::size_t whole = sent == 0 ? 0 : ends[sent - 1];
    octets_ += written - partial_;
    partial_ = written - whole;
    if (regular_ && partial_ > 0) cut_off(partial_);
    return status;
}

Status FileTransport::write_file(std::string_view bytes, std::size_t& written) {
    while (written < bytes.size()) {
        const auto n = ::write(descriptor_, bytes.data() + written, bytes.size() - written);
        if (n > 0)
            written += static_cast<std::size_t>(n);
        else if (n == 0 || errno != EINTR)
            return failure("cannot write", n == 0 ? ENOSPC : errno);
    }
    return ok();
}

// A pipe that polls writable takes PIPE_BUF octets without blocking, and no
// promise goes further; standard output is shared, so it is not made
// non-blocking.
Status FileTransport::write_stream(std::string_view bytes, std::size_t& written) {
    const auto deadline = std::chrono::steady_clock::now() + kLongestSend;
    while (written < bytes.size()) {
        pollfd entry{descriptor_, POLLOUT, 0};
        const int ready = ::poll(&entry, 1, kPatienceMs);
        if (ready < 0 && errno != EINTR) return failure("cannot wait", errno);
        if (ready == 0 || std::chrono::steady_clock::now() > deadline)
            return Error{ErrorCode::kBusy, "its reader is slow", description()};
        if (ready < 0) continue;
        const std::size_t left = bytes.size() - written;
        const auto n =
            ::write(descriptor_, bytes.data() + written, non_blocking_ ? left : std::min<std::size_t>(left, PIPE_BUF));
        if (n > 0) {
            written += static_cast<std::size_t>(n);
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            reader_gone_ = errno == EPIPE;
            return failure("cannot write", errno);
        }
    }
    return ok();
}

// After an error a message may be in the file by half. Where it cannot be taken
// back, partial_ makes the next send go on inside it.
void FileTransport::cut_off(std::size_t octets) {
    const off_t end = ::lseek(descriptor_, 0, SEEK_CUR) - static_cast<off_t>(octets);
    if (end < 0 || ::ftruncate(descriptor_, end) != 0 || ::lseek(descriptor_, end, SEEK_SET) < 0) return;
    octets_ -= octets;
    partial_ = 0;
}

void FileTransport::close() noexcept {
    if (descriptor_ >= 0 && !is_standard_output()) ::close(descriptor_);
    descriptor_ = -1;
}

}  // namespace nfstreamd::exporters
