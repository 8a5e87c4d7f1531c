// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/control_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace nfstreamd::ctl {
namespace {

class Descriptor {
public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    ~Descriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

Error failed(const std::string& path, int number) {
    const auto code = number == EACCES || number == EPERM          ? ErrorCode::kPermission
                      : number == ENOENT || number == ECONNREFUSED ? ErrorCode::kUnavailable
                                                                   : ErrorCode::kIo;
    std::string message = number == EAGAIN ? "no answer in time" : std::strerror(number);
    if (code == ErrorCode::kUnavailable)
        message +=
            ": is nfstreamd running, and is this its control.socket? Try `systemctl status nfstreamd`, or -s PATH";
    if (code == ErrorCode::kPermission)
        message += ": root and members of the socket's group may ask, by default nfstreamd";
    return {code, std::move(message), path};
}

// 0, or what errno is then.
int connect_to(int socket, const std::string& path, std::chrono::seconds patience) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    std::memcpy(address.sun_path, path.data(), path.size());
    const timeval each{static_cast<time_t>(patience.count()), 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &each, sizeof each);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &each, sizeof each);
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

int peer_of(const std::string& socket_path) {
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0 || connect_to(socket.get(), socket_path, std::chrono::seconds(1)) != 0) return 0;
    ucred peer{};
    socklen_t length = sizeof peer;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

Result<std::string> ask(const std::string& socket_path, std::string_view command, std::chrono::seconds patience) {
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return failed(socket_path, errno);
    if (const int number = connect_to(socket.get(), socket_path, patience); number != 0)
        return failed(socket_path, number);

    const std::string request = std::string(command) + "\n";
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        return failed(socket_path, errno);
    std::string answer;
    char part[16384];
    for (;;) {
        const auto length = ::recv(socket.get(), part, sizeof part, 0);
        if (length == 0) break;
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return failed(socket_path, errno);
        answer.append(part, static_cast<std::size_t>(length));
    }
    if (answer.empty()) return Error{ErrorCode::kIo, "it closed the connection without an answer", socket_path};
    return answer;
}

}  // namespace nfstreamd::ctl
