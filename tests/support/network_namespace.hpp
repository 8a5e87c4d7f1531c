// SPDX-License-Identifier: Apache-2.0
// A network namespace for the thread of a test, where links can come and go.
// Needs CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW and ip(8); says so when it skips.
#pragma once
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace nfstreamd::test {

inline bool ip(const std::string& arguments) {
    return std::system(("ip " + arguments + " >/dev/null 2>&1").c_str()) == 0;
}

// This thread, and the programs it starts, in a new namespace while it lives.
class NetworkNamespace {
public:
    NetworkNamespace() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
        if (before_ >= 0 && ::unshare(CLONE_NEWNET) == 0) {
            entered_ = true;
            usable_ = ip("link set lo up") && ip("link add probe0 type veth peer name probe1") && ip("link del probe0");
        }
        if (!usable_) MESSAGE("skipped: no network namespace with veth (root and ip(8) are needed)");
    }
    ~NetworkNamespace() {
        if (entered_) ::setns(before_, CLONE_NEWNET);
        if (before_ >= 0) ::close(before_);
    }
    NetworkNamespace(const NetworkNamespace&) = delete;
    NetworkNamespace& operator=(const NetworkNamespace&) = delete;
    explicit operator bool() const { return usable_; }

private:
    const int before_;
    bool entered_ = false, usable_ = false;
};

// A veth pair, both ends up: cap0 and cap1.
inline void add_pair() {
    REQUIRE(ip("link add cap0 address 02:00:00:00:00:0a type veth peer name cap1"));
    REQUIRE(ip("link set cap0 up"));
    REQUIRE(ip("link set cap1 up"));
}

}  // namespace nfstreamd::test
