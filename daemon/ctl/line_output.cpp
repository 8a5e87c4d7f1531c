// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/line_output.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nfstreamd::ctl {
namespace {

constexpr std::size_t kEnough = 64 * 1024;

bool is_regular(int descriptor) {
    struct stat status {};
    return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

LineOutput::LineOutput(int descriptor) : descriptor_(descriptor), awaited_(!is_regular(descriptor)) {}

void LineOutput::add(std::string_view line) {
    if (ended_) return;
    buffer_ += line;
    buffer_ += '\n';
    if (buffer_.size() >= kEnough) flush();
}

void LineOutput::pause() {
    if (awaited_ || buffer_.size() >= kEnough) flush();
}

void LineOutput::flush() {
    std::size_t done = 0;
    while (!ended_ && done < buffer_.size()) {
        const auto length = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
        if (length >= 0) {
            done += static_cast<std::size_t>(length);
        } else if (errno == EAGAIN) {  // somebody made the terminal non-blocking
            pollfd room{descriptor_, POLLOUT, 0};
            ::poll(&room, 1, -1);
        } else if (errno != EINTR) {
            ended_ = true;
            if (errno != EPIPE) error_ = std::strerror(errno);
        }
    }
    buffer_.clear();
}

}  // namespace nfstreamd::ctl
