// SPDX-License-Identifier: Apache-2.0
// Signals as events of the control thread. They are blocked first thing in
// main, so that every thread inherits the mask and none arrives elsewhere.
#pragma once
#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace nfstreamd::daemon {

// SIGHUP, SIGINT, SIGTERM blocked, SIGPIPE ignored. Before any thread exists.
void block_signals();

// A signalfd(2) of the blocked signals, non-blocking; the caller closes it.
int open_signalfd();

class SignalReader {
public:
    // `handler` gets the number of each signal, on the thread of `context`.
    SignalReader(boost::asio::io_context& context, std::function<void(int)> handler);

private:
    void wait();
    void read_all();

    boost::asio::posix::stream_descriptor descriptor_;
    std::function<void(int)> handler_;
};

}  // namespace nfstreamd::daemon
