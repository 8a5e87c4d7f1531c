// SPDX-License-Identifier: Apache-2.0
#include "daemon/signals.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace nfstreamd::daemon {
namespace {

sigset_t handled_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&set, number);
    return set;
}

}  // namespace

void block_signals() {
    const sigset_t set = handled_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

int open_signalfd() {
    const sigset_t set = handled_signals();
    const int descriptor = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    return descriptor;
}

SignalReader::SignalReader(boost::asio::io_context& context, std::function<void(int)> handler)
    : descriptor_(context, open_signalfd()), handler_(std::move(handler)) {
    wait();
}

void SignalReader::wait() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [this](const boost::system::error_code& error) {
                               if (error) return;
                               read_all();
                               wait();
                           });
}

void SignalReader::read_all() {
    signalfd_siginfo info;
    while (::read(descriptor_.native_handle(), &info, sizeof info) == sizeof info)
        handler_(static_cast<int>(info.ssi_signo));
}

}  // namespace nfstreamd::daemon
