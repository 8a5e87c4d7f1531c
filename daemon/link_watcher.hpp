// SPDX-License-Identifier: Apache-2.0
// Tells when a network interface comes, goes or changes: rtnetlink(7), and now and
// then in case that it cannot be listened to, or has told more than fits. Control thread.
#pragma once
#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/log.hpp"

namespace nfstreamd::daemon {

class LinkWatcher {
public:
    LinkWatcher(boost::asio::io_context& context, Logger& logger, std::function<void()> changed);

private:
    void wait();
    void wait_for_period();

    std::function<void()> changed_;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer timer_;
};

}  // namespace nfstreamd::daemon
