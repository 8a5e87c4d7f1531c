// SPDX-License-Identifier: Apache-2.0
#include "daemon/threads.hpp"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <utility>

namespace nfstreamd::daemon {
namespace {

constexpr std::size_t kNameLength = 15;

[[noreturn]] void die(const std::string& name, const char* what) {
    std::fprintf(stderr, "nfstreamd: thread '%s' failed: %s\n", name.c_str(), what);
    ::_exit(1);
}

}  // namespace

std::jthread start_thread(const std::string& name, std::function<void(std::stop_token)> body) {
    std::jthread thread([name, body = std::move(body)](std::stop_token stop) {
        try {
            body(std::move(stop));
        } catch (const std::exception& error) {
            die(name, error.what());
        } catch (...) {
            die(name, "an exception of unknown type");
        }
    });
    pthread_setname_np(thread.native_handle(), name.substr(0, kNameLength).c_str());
    return thread;
}

}  // namespace nfstreamd::daemon
