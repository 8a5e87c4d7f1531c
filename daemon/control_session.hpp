// SPDX-License-Identifier: Apache-2.0
// One client of the control socket: its line, the answer to it, its end. Keeps
// itself alive until then. Control thread.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>  // before asio: Boost 1.74 forgets it

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>

namespace nfstreamd::daemon {

class ControlSession : public std::enable_shared_from_this<ControlSession> {
public:
    using Protocol = boost::asio::local::stream_protocol;
    // Takes the JSON that answers a command, once, now or later; empty: there is no such
    // command. The client is let go after kLongestAnswer.
    using Reply = std::function<void(std::string json)>;
    using Handler = std::function<void(std::string_view command, Reply reply)>;

    static constexpr std::size_t kMaxRequest = 8192;  // octets, the newline included
    static constexpr std::chrono::seconds kLongestAnswer{120};

    // Counts itself among the clients.
    ControlSession(Protocol::socket socket, std::shared_ptr<const Handler> handler,
                   std::shared_ptr<std::size_t> clients);
    ~ControlSession();
    ControlSession(const ControlSession&) = delete;
    ControlSession& operator=(const ControlSession&) = delete;

    void start();

private:
    void allow(std::chrono::seconds time);
    void answer(std::size_t length);
    void reply(std::string text);
    void await_end();

    Protocol::socket socket_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<const Handler> handler_;
    std::shared_ptr<std::size_t> clients_;
    boost::asio::streambuf request_{kMaxRequest};
    std::string reply_;
    std::array<char, 1024> rest_{};
};

}  // namespace nfstreamd::daemon
