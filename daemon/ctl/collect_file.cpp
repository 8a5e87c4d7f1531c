// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/collect_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "daemon/signals.hpp"

namespace nfstreamd::ctl {
namespace {

constexpr std::size_t kChunk = 64 * 1024;

Error failed(const std::string& path, int number) {
    return {ErrorCode::kIo, std::string("cannot read: ") + std::strerror(number), path};
}

// Descriptor of the input; standard input stays open.
struct Input {
    explicit Input(const std::string& path)
        : descriptor(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~Input() {
        if (descriptor > STDIN_FILENO) ::close(descriptor);
    }
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;
    int descriptor;
};

bool keeps_messages(int descriptor) {
    int type = 0;
    socklen_t length = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
           (type == SOCK_DGRAM || type == SOCK_SEQPACKET);
}

}  // namespace

Status collect_file(const std::string& path, MessageReader& reader, LineOutput& output) {
    const Input input(path);
    if (input.descriptor < 0) return failed(path, errno);
    const bool datagrams = keeps_messages(input.descriptor);
    const int signals = daemon::open_signalfd();
    std::vector<std::uint8_t> chunk(kChunk);
    Status result = ok();
    while (!output.ended()) {
        pollfd wait[] = {{signals, POLLIN, 0}, {input.descriptor, POLLIN, 0}};
        if (::poll(wait, 2, -1) < 0 && errno != EINTR) result = failed(path, errno);
        if (wait[0].revents != 0 || !result) break;
        if (wait[1].revents == 0) continue;
        const auto length = ::read(input.descriptor, chunk.data(), chunk.size());
        if (length < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (length < 0) result = failed(path, errno);
        if (length <= 0) break;
        if (datagrams) {
            reader.feed_datagram({chunk.data(), static_cast<std::size_t>(length)}, path);
        } else if (!reader.feed_stream({chunk.data(), static_cast<std::size_t>(length)}, path)) {
            result = Error{ErrorCode::kIo, reader.counters().last_malformed, ""};
            break;
        }
        output.pause();
    }
    if (result) reader.end_stream(path);
    ::close(signals);
    return result;
}

}  // namespace nfstreamd::ctl
