// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/output_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

namespace nfstreamd::exporters {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(500);  // for a reader that takes nothing

}  // namespace

ErrorCode error_code(int error) {
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

Result<bool> begins_with(const std::string& path, std::string_view text) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno == ENOENT) return false;
        return Error{error_code(errno),
                     "cannot read what is to be continued: " + std::generic_category().message(errno), path};
    }
    struct stat info {};
    std::string present(text.size(), '\0');
    const bool regular = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
    const auto length = regular ? ::pread(descriptor, present.data(), present.size(), 0) : -1;
    ::close(descriptor);
    return length == static_cast<ssize_t>(text.size()) && present == text;
}

bool ends_with_a_line(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return true;
    struct stat info {};
    char last = '\n';
    if (::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
        ::pread(descriptor, &last, 1, info.st_size - 1) != 1)
        last = '\n';
    ::close(descriptor);
    return last == '\n';
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {}

OutputFile::~OutputFile() {
    close();
}

std::string OutputFile::description() const {
    return is_standard_output() ? "standard output" : path_;
}

Error OutputFile::failure(std::string_view what, int error) const {
    return {error_code(error), std::string(what) + ": " + std::generic_category().message(error), description()};
}

Status OutputFile::open(bool empty) {
    close();
    if (is_standard_output()) {
        if (reader_gone_) return Error{ErrorCode::kNotFound, "its reader has gone", description()};
        descriptor_ = STDOUT_FILENO;
    } else {
        const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | (empty ? O_TRUNC : 0);
        do descriptor_ = ::open(path_.c_str(), flags, 0666);
        while (descriptor_ < 0 && errno == EINTR);
        if (descriptor_ < 0) return failure("cannot open for writing", errno);
    }
    auto status = inspect();
    if (!status) close();
    return status;
}

Status OutputFile::inspect() {
    struct stat info {};
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (::fstat(descriptor_, &info) != 0 || flags < 0) return failure("cannot inspect", errno);
    regular_ = S_ISREG(info.st_mode);
    non_blocking_ = (flags & O_NONBLOCK) != 0;
    former_ = info.st_dev == device_ && info.st_ino == inode_;
    device_ = info.st_dev;
    inode_ = info.st_ino;
    size_ = regular_ ? static_cast<std::uint64_t>(info.st_size) : 0;
    return ok();
}

bool OutputFile::removed() const noexcept {
    struct stat info {};
    return regular_ && !is_standard_output() && ::fstat(descriptor_, &info) == 0 && info.st_nlink == 0;
}

bool OutputFile::replaced() const noexcept {
    if (!regular_ || is_standard_output()) return false;
    struct stat info {};
    if (::stat(path_.c_str(), &info) != 0) return errno == ENOENT || errno == ENOTDIR;
    return info.st_dev != device_ || info.st_ino != inode_;
}

Status OutputFile::write(std::string_view bytes, std::size_t& written, Clock::time_point deadline) {
    if (descriptor_ < 0) return failure("not open", EBADF);
    const std::size_t before = written;
    auto status = regular_ ? write_file(bytes, written) : write_stream(bytes, written, deadline);
    if (regular_) size_ += written - before;
    return status;
}

Status OutputFile::write_file(std::string_view bytes, std::size_t& written) {
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
Status OutputFile::write_stream(std::string_view bytes, std::size_t& written, Clock::time_point deadline) {
    while (written < bytes.size()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd entry{descriptor_, POLLOUT, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp(left, left.zero(), kPatience).count()));
        if (ready < 0 && errno != EINTR) return failure("cannot wait", errno);
        if (ready == 0 || left.count() < 0) return Error{ErrorCode::kBusy, "its reader is slow", description()};
        if (ready < 0) continue;
        const std::size_t rest = bytes.size() - written;
        const auto n =
            ::write(descriptor_, bytes.data() + written, non_blocking_ ? rest : std::min<std::size_t>(rest, PIPE_BUF));
        if (n > 0) {
            written += static_cast<std::size_t>(n);
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            reader_gone_ = errno == EPIPE;
            return failure("cannot write", errno);
        }
    }
    return ok();
}

// From where the file ends by now: another may have emptied it.
bool OutputFile::cut_off(std::size_t octets) noexcept {
    const off_t end = ::lseek(descriptor_, 0, SEEK_CUR) - static_cast<off_t>(octets);
    if (end < 0 || ::ftruncate(descriptor_, end) != 0 || ::lseek(descriptor_, end, SEEK_SET) < 0) return false;
    size_ = static_cast<std::uint64_t>(end);
    return true;
}

void OutputFile::close() noexcept {
    if (descriptor_ >= 0 && !is_standard_output()) ::close(descriptor_);
    descriptor_ = -1;
}

}  // namespace nfstreamd::exporters
