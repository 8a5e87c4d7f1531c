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

constexpr time_t kPatienceSeconds = 10;  // for each send and receive

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
    if (code == ErrorCode::kUnavailable) message += ": is nfstreamd running, and is this its control.socket?";
    return {code, std::move(message), path};
}

}  // namespace

Result<std::string> ask(const std::string& socket_path, std::string_view command) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path) return failed(socket_path, ENAMETOOLONG);
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());

    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return failed(socket_path, errno);
    const timeval patience{kPatienceSeconds, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return failed(socket_path, errno);

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
