// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/udp_socket.hpp"

#include <fmt/format.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/mixing.hpp"

namespace nfstreamd::exporters {
namespace asio = boost::asio;
using asio::ip::udp;

namespace {

constexpr std::size_t kMostGroups = 64;      // of one system call
constexpr std::size_t kMostSegments = 64;    // of one group: UDP_MAX_SEGMENTS of older kernels
constexpr std::size_t kMostOctets = 65'000;  // of one group: an IP packet with its headers
constexpr std::size_t kQuoted = 20;          // octets of a message that tell it from others
constexpr int kMostAttempts = 8;             // in a row without a message that left
constexpr std::size_t kIpv4Header = 20, kIpv6Header = 40, kUdpHeader = 8;
constexpr std::size_t kUnknownPath = 512 - kIpv6Header - kUdpHeader;  // RFC 7011, 10.3.3

std::size_t begin_of(std::span<const std::size_t> ends, std::size_t i) {
    return i == 0 ? 0 : ends[i - 1];
}
std::size_t length_of(std::span<const std::size_t> ends, std::size_t i) {
    return ends[i] - begin_of(ends, i);
}

std::uint64_t key_of(std::span<const std::uint8_t> message) {
    std::array<std::uint64_t, 3> words{};
    std::memcpy(words.data(), message.data(), std::min(message.size(), kQuoted));
    return splitmix_finish(splitmix_finish(splitmix_finish(words[0]) ^ words[1]) ^ words[2]);
}

}  // namespace

UdpSocket::UdpSocket(std::string description, bool segmentation)
    : description_(std::move(description)), segmentation_(segmentation) {}

Status UdpSocket::open(const Address& address, std::uint16_t port, const std::optional<Address>& source) {
    close();
    refused_.clear();
    left_.assign(kRemembered, {});
    number_ = 0;
    const udp::endpoint peer(address, port);
    v4_ = address.is_v4();
    boost::system::error_code error;
    socket_.open(peer.protocol(), error);
    if (!error) socket_.non_blocking(true, error);
    if (!error && source) {
        socket_.bind({*source, 0}, error);
        if (error) return failure("cannot send from " + source->to_string() + " to", error);
    }
    if (!error) socket_.connect(peer, error);
    if (error) return failure("cannot send to", error);
    prepare();
    return ok();
}

// Without them the session works as well: refusals are then less exact, and each
// message goes its own way through the kernel. A packet that has become too long
// for the path is fragmented rather than lost; those to come are made shorter.
void UdpSocket::prepare() {
    const int on = 1, descriptor = socket_.native_handle();
    const int discover = v4_ ? IP_PMTUDISC_WANT : IPV6_PMTUDISC_WANT;
    setsockopt(descriptor, v4_ ? SOL_IP : SOL_IPV6, v4_ ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
    setsockopt(descriptor, v4_ ? SOL_IP : SOL_IPV6, v4_ ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &discover,
               sizeof discover);
    int segment = 0;
    socklen_t length = sizeof segment;
    segments_ = segmentation_ && getsockopt(descriptor, SOL_UDP, UDP_SEGMENT, &segment, &length) == 0;
    look_at_path();
}

// The kernel has learnt it from the route, and from ICMP since (RFC 1191, 8201).
void UdpSocket::look_at_path() {
    int mtu = 0;
    socklen_t length = sizeof mtu;
    const std::size_t headers = (v4_ ? kIpv4Header : kIpv6Header) + kUdpHeader;
    const bool known =
        getsockopt(socket_.native_handle(), v4_ ? SOL_IP : SOL_IPV6, v4_ ? IP_MTU : IPV6_MTU, &mtu, &length) == 0;
    limit_ = known && static_cast<std::size_t>(std::max(mtu, 0)) > headers ? static_cast<std::size_t>(mtu) - headers
                                                                           : kUnknownPath;
}

// An error that waits on the socket tells of an earlier datagram and keeps this
// one from leaving: send it again. More than one may wait.
Status UdpSocket::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                       Clock::time_point deadline) {
    int error = 0;
    for (int attempt = 0; sent < ends.size() && attempt < kMostAttempts; ++attempt) {
        const std::size_t before = sent;
        sent += send_some(bytes, ends, sent, error);
        if (sent > before) attempt = -1;
        if (error == 0 || error == EINTR) continue;
        const bool icmp = read_errors();
        if (error == EAGAIN || error == ENOBUFS) {  // the latter: the device's queue, of which the socket does not tell
            if (error == ENOBUFS || !wait(Socket::wait_write, deadline)) break;
        } else if (error == ECONNREFUSED) {
            if (!icmp) refuse_last();
        } else if (icmp) {
            continue;
        } else if (next_group(ends, sent).count > 1) {
            segments_ = false;  // too long for the device, no checksums by it, IPsec: one by one it may go
        } else if (error == EMSGSIZE) {
            look_at_path();
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{}: a message of {} octets is too long for the path; lower mtu", description_,
                                     length_of(ends, sent)),
                         ""};
        } else {
            break;
        }
    }
    if (sent == ends.size()) return ok();
    if (error == EAGAIN || error == ENOBUFS)
        return Error{ErrorCode::kBusy, description_ + ": the system's queues are full", ""};
    return failure("cannot send to", {error, boost::system::system_category()});
}

UdpSocket::Group UdpSocket::next_group(std::span<const std::size_t> ends, std::size_t first) const {
    const std::size_t length = length_of(ends, first);
    Group group{first, 1};
    if (length > limit_) return group;  // the kernel segments into packets, and does not fragment those
    while (segments_ && group.count < kMostSegments && first + group.count < ends.size()) {
        const std::size_t next = first + group.count;
        if (length_of(ends, next) > length || ends[next] - begin_of(ends, first) > kMostOctets) break;
        ++group.count;
        if (length_of(ends, next) < length) break;
    }
    return group;
}

struct UdpSocket::Batch {
    union Control {
        std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> space;
        cmsghdr alignment;
    };
    std::array<mmsghdr, kMostGroups> headers{};
    std::array<iovec, kMostGroups> parts;
    std::array<Control, kMostGroups> controls{};
    std::array<Group, kMostGroups> groups;
    std::size_t count = 0;

    void add(std::span<const std::uint8_t> octets, const Group& group, std::size_t segment) {
        msghdr& header = headers[count].msg_hdr;
        parts[count] = {const_cast<std::uint8_t*>(octets.data()), octets.size()};
        header.msg_iov = &parts[count];
        header.msg_iovlen = 1;
        if (group.count > 1) {
            header.msg_control = controls[count].space.data();
            header.msg_controllen = controls[count].space.size();
            cmsghdr* option = CMSG_FIRSTHDR(&header);
            option->cmsg_level = SOL_UDP;
            option->cmsg_type = UDP_SEGMENT;
            option->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
            const auto length = static_cast<std::uint16_t>(segment);
            std::memcpy(CMSG_DATA(option), &length, sizeof length);
        }
        groups[count++] = group;
    }
};

// One system call; the number of messages that left. Fewer than there are: the
// next one met an error, which the kernel tells only if none has left; it may
// have taken it off the socket with that.
std::size_t UdpSocket::send_some(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends,
                                 std::size_t first, int& error) {
    Batch batch;
    for (std::size_t at = first; at < ends.size() && batch.count < kMostGroups;) {
        const Group group = next_group(ends, at);
        const std::size_t begin = begin_of(ends, at), end = ends[at + group.count - 1];
        batch.add(bytes.subspan(begin, end - begin), group, length_of(ends, at));
        at += group.count;
    }
    const int left = sendmmsg(socket_.native_handle(), batch.headers.data(), static_cast<unsigned>(batch.count), 0);
    error = left < 0 ? errno : 0;
    std::size_t messages = 0;
    for (std::size_t i = 0; i < batch.count && static_cast<int>(i) < left; ++i) {
        remember(bytes, ends, batch.groups[i]);
        messages += batch.groups[i].count;
    }
    if (left >= 0 && static_cast<std::size_t>(left) < batch.count) read_errors();
    return messages;
}

void UdpSocket::remember(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, const Group& group) {
    const Group numbered{static_cast<std::size_t>(number_), group.count};
    for (std::size_t i = group.first; i < group.first + group.count; ++i) {
        const auto message = bytes.subspan(begin_of(ends, i), length_of(ends, i));
        left_[number_ % kRemembered] = {key_of(message), numbered, false};
        ++number_;
    }
}

// What ICMP has told since: each error with the beginning of the datagram it is
// about. True when there was one.
bool UdpSocket::read_errors() {
    bool any = false;
    while (socket_.is_open()) {
        std::array<std::uint8_t, kQuoted> quoted;
        alignas(cmsghdr) std::array<char, 512> control;
        iovec part{quoted.data(), quoted.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const auto n = recvmsg(socket_.native_handle(), &header, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (n < 0) return any;
        for (cmsghdr* option = CMSG_FIRSTHDR(&header); option != nullptr; option = CMSG_NXTHDR(&header, option)) {
            sock_extended_err told{};
            if (option->cmsg_len < CMSG_LEN(sizeof told)) continue;
            std::memcpy(&told, CMSG_DATA(option), sizeof told);
            if (told.ee_origin != SO_EE_ORIGIN_ICMP && told.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
            any = true;
            if (told.ee_errno == EMSGSIZE) look_at_path();
            refuse_quoted({quoted.data(), static_cast<std::size_t>(n)});
        }
    }
    return any;
}

// A host may quote less than tells messages apart: then it is the last one.
void UdpSocket::refuse_quoted(std::span<const std::uint8_t> quoted) {
    const std::uint64_t oldest = number_ > kRemembered ? number_ - kRemembered : 0;
    const std::uint64_t key = key_of(quoted);
    for (std::uint64_t n = number_; n > oldest; --n) {
        const Left& left = left_[(n - 1) % kRemembered];
        if (left.key == key && !left.refused) return refuse(n - 1);
    }
    if (quoted.size() < kQuoted) refuse_last();
}

void UdpSocket::refuse_last() {
    if (number_ > 0) refuse(number_ - 1);
}

// With all that left as one with it: they met the same fate in the same moment,
// and an error may be told but once for all of them.
void UdpSocket::refuse(std::uint64_t number) {
    const Group group = left_[number % kRemembered].group;
    for (std::uint64_t n = group.first; n < group.first + group.count; ++n) {
        Left& left = left_[n % kRemembered];
        if (left.group.first == group.first && !std::exchange(left.refused, true)) refused_.push_back(n);
    }
}

bool UdpSocket::wait(Socket::wait_type what, Clock::time_point deadline) {
    bool ready = false;
    io_.restart();
    socket_.async_wait(what, [&ready](const boost::system::error_code& error) { ready = !error; });
    io_.run_until(deadline);
    if (!ready) {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
        io_.restart();
        io_.run();  // the handler refers to this call's frame
    }
    return ready;
}

void UdpSocket::check() {
    if (!socket_.is_open()) return;
    read_errors();
    int pending = 0;
    socklen_t length = sizeof pending;
    if (getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &pending, &length) == 0 && pending == ECONNREFUSED)
        refuse_last();
    look_at_path();
}

std::size_t UdpSocket::receive(std::span<std::uint8_t> datagram) {
    const auto n = recv(socket_.native_handle(), datagram.data(), datagram.size(), MSG_DONTWAIT);
    if (n > 0) return static_cast<std::size_t>(n);
    if (n < 0 && errno != EAGAIN && errno != EINTR && !read_errors() && errno == ECONNREFUSED) refuse_last();
    return 0;
}

void UdpSocket::close() noexcept {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

Error UdpSocket::failure(std::string_view what, const boost::system::error_code& error) const {
    return {ErrorCode::kUnavailable, fmt::format("{} {}: {}", what, description_, error.message()), ""};
}

}  // namespace nfstreamd::exporters
