// SPDX-License-Identifier: Apache-2.0
#include "core/base/wake_event.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>

namespace nfstreamd {

WakeEvent::WakeEvent() noexcept : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

WakeEvent::~WakeEvent() {
    if (event_ >= 0) ::close(event_);
}

void WakeEvent::signal() noexcept {
    const std::uint64_t one = 1;
    // fails only when the counter is full, and then it is signalled already
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

bool WakeEvent::wait(int milliseconds) noexcept {
    if (event_ < 0) {  // look again often instead
        ::poll(nullptr, 0, std::min(milliseconds, 10));
        return true;
    }
    pollfd entry{event_, POLLIN, 0};
    if (::poll(&entry, 1, milliseconds) <= 0) return false;
    std::uint64_t count = 0;
    return ::read(event_, &count, sizeof count) == sizeof count;
}

bool WakeEvent::wait(int descriptor, std::chrono::milliseconds timeout) noexcept {
    return wait(std::span(&descriptor, 1), timeout);
}

bool WakeEvent::wait(std::span<const int> descriptors, std::chrono::milliseconds timeout) noexcept {
    std::array<pollfd, 256> entries;
    std::size_t used = 0;
    entries[used++] = {event_, POLLIN, 0};
    for (const int descriptor : descriptors.first(std::min(descriptors.size(), entries.size() - 1)))
        entries[used++] = {descriptor, POLLIN, 0};
    const auto limit = std::clamp<std::chrono::milliseconds::rep>(timeout.count(), 0, INT_MAX);
    if (::poll(entries.data(), used, static_cast<int>(limit)) <= 0) return false;
    if (entries[0].revents != 0) {
        std::uint64_t count;
        [[maybe_unused]] const ssize_t taken = ::read(event_, &count, sizeof count);
    }
    return std::any_of(entries.begin() + 1, entries.begin() + static_cast<std::ptrdiff_t>(used),
                       [](const pollfd& entry) { return entry.revents != 0; });
}

}  // namespace nfstreamd
