// SPDX-License-Identifier: Apache-2.0
#include "daemon/control_session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "daemon/json_writer.hpp"

namespace nfstreamd::daemon {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kPatience{5};  // for one client, from accept to the last byte

}  // namespace

ControlSession::ControlSession(Protocol::socket socket, std::shared_ptr<const Handler> handler,
                               std::shared_ptr<std::size_t> clients)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      handler_(std::move(handler)),
      clients_(std::move(clients)) {
    ++*clients_;
}

ControlSession::~ControlSession() {
    --*clients_;
}

void ControlSession::start() {
    allow(kPatience);
    asio::async_read_until(socket_, request_, '\n',
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t length) {
                               if (!error)
                                   self->answer(length);
                               else if (error == asio::error::not_found)
                                   self->reply(error_json("request too long"));
                               else
                                   self->timer_.cancel();
                           });
}

// From now on the client has so long.
void ControlSession::allow(std::chrono::seconds time) {
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        boost::system::error_code ignored;
        if (!error) self->socket_.close(ignored);
    });
}

void ControlSession::answer(std::size_t length) {
    std::string line(static_cast<const char*>(request_.data().data()), length - 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    allow(kLongestAnswer);
    (*handler_)(line, [self = shared_from_this(), line](std::string text) {
        if (!self->socket_.is_open()) return;
        self->allow(kPatience);
        self->reply(text.empty() ? error_json("unknown command '" + line + "'") : std::move(text));
    });
}

void ControlSession::reply(std::string text) {
    reply_ = std::move(text) + "\n";
    asio::async_write(socket_, asio::buffer(reply_),
                      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                          boost::system::error_code ignored;
                          self->socket_.shutdown(Protocol::socket::shutdown_send, ignored);
                          if (error)
                              self->timer_.cancel();
                          else
                              self->await_end();
                      });
}

// Closing over what was not read would reset the connection, and the answer
// might be lost with it.
void ControlSession::await_end() {
    socket_.async_read_some(asio::buffer(rest_),
                            [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                                if (error)
                                    self->timer_.cancel();
                                else
                                    self->await_end();
                            });
}

}  // namespace nfstreamd::daemon
