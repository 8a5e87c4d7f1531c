// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/message_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

namespace nfstreamd::exporters::ipfix {

Status MessageFile::open(Clock::time_point) {
    close();
    if (Status status = open_descriptor(); !status) return status;
    struct stat info {};
    if (fstat(descriptor_, &info) != 0) return failure("cannot inspect", errno);
    is_regular_ = path_ != "-" && S_ISREG(info.st_mode);
    if (is_regular_) {
        if (!opened_) whole_ = append_ ? info.st_size : 0;
        if (ftruncate(descriptor_, whole_) != 0 || lseek(descriptor_, whole_, SEEK_SET) < 0)
            return failure("cannot continue", errno);
    }
    opened_ = true;
    sent_ = 0;
    return ok();
}

// O_NONBLOCK: a named pipe without a reader is an error to try again after, not
// a thread that hangs.
Status MessageFile::open_descriptor() {
    if (path_ != "-")
        descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    else if (reader_gone_)
        return Error{ErrorCode::kNotFound, "the reader of standard output has gone", ""};
    else
        descriptor_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (descriptor_ < 0) return failure("cannot open", errno);
    return ok();
}

// A pipe takes at least PIPE_BUF octets when it is ready, so that write() does
// not block on a reader that has stopped.
Status MessageFile::send(std::span<const std::uint8_t> message, Clock::time_point deadline) {
    if (descriptor_ < 0) return failure("not open:", EBADF);
    while (sent_ < message.size()) {
        std::size_t n = message.size() - sent_;
        if (!is_regular_) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
            pollfd ready{descriptor_, POLLOUT, 0};
            const int count = poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
            if (count == 0) return Error{ErrorCode::kBusy, description() + " takes no more for now", ""};
            n = std::min<std::size_t>(n, PIPE_BUF);
        }
        const ssize_t written = write(descriptor_, message.data() + sent_, n);
        if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (written < 0 && errno == EPIPE) reader_gone_ = true;
        if (written < 0) return failure("cannot write", errno);
        sent_ += static_cast<std::size_t>(written);
    }
    whole_ += static_cast<std::int64_t>(message.size());
    sent_ = 0;
    return ok();
}

void MessageFile::close() noexcept {
    if (descriptor_ < 0) return;
    if (is_regular_ && sent_ != 0 && ftruncate(descriptor_, whole_) != 0) sent_ = 0;  // a reader sees the cut end
    ::close(descriptor_);
    descriptor_ = -1;
}

Error MessageFile::failure(std::string_view what, int code) const {
    const ErrorCode kind = code == EACCES || code == EPERM    ? ErrorCode::kPermission
                           : code == ENOENT || code == EISDIR ? ErrorCode::kNotFound
                                                              : ErrorCode::kIo;
    return {kind, fmt::format("{} {}: {}", what, path_, std::generic_category().message(code)), ""};
}

}  // namespace nfstreamd::exporters::ipfix
