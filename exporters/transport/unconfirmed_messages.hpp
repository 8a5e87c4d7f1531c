// SPDX-License-Identifier: Apache-2.0
// Where the newest messages of a TCP connection end in its stream, and how many
// of them the peer's application may not have read: the octets that its host has
// not acknowledged, and as many more as it may keep for an application that does
// not read. No option tells how many these are. Four times the greatest window that
// it was seen to advertise is more than they were ever found to be (2.3 times): a
// host advertises half the room that it has, and makes more while that is filled.
// Belongs to its connection; its memory is bounded by kMost.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>

namespace nfstreamd::exporters {

class UnconfirmedMessages {
public:
    static constexpr std::size_t kMost = 65536;

    void clear() noexcept;

    // The next message ends behind so many octets of the stream.
    void add(std::uint64_t end);

    // Asks the kernel how far the socket is, of which so many octets were written,
    // and forgets the messages that are read for sure.
    void look_at(int socket, std::uint64_t written) noexcept;

    // The peer has ended the stream behind our own end: it has read all of it, if its
    // host acknowledged that.
    void confirm(int socket) noexcept;

    std::size_t count() const noexcept { return ends_.size(); }

private:
    std::deque<std::uint64_t> ends_;
    std::uint64_t window_ = 0;  // octets, the greatest so far
};

}  // namespace nfstreamd::exporters
