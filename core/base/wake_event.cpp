// SPDX-License-Identifier: Apache-2.0
#include "core/base/wake_event.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace nfstreamd {

WakeEvent::WakeEvent() noexcept : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

WakeEvent::~WakeEvent() {
    if (event_ >= 0) ::close(event_);
}

void WakeEvent::signal() noexcept {
    if (state_.exchange(State::kSignalled, std::memory_order_acq_rel) != State::kWaiting) return;
    const std::uint64_t one = 1;
    // cannot fail: only one signal finds a waiter, until the next wait
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

// False: signalled already.
bool WakeEvent::begin_wait() noexcept {
    State idle = State::kIdle;
    if (state_.compare_exchange_strong(idle, State::kWaiting, std::memory_order_acq_rel)) return true;
    state_.exchange(State::kIdle, std::memory_order_acq_rel);
    return false;
}

// True: signalled since begin_wait(). Who signalled a waiter also writes, if not yet.
bool WakeEvent::end_wait() noexcept {
    if (state_.exchange(State::kIdle, std::memory_order_acq_rel) != State::kSignalled) return false;
    if (event_ < 0) return true;
    pollfd entry{event_, POLLIN, 0};
    while (::poll(&entry, 1, -1) < 0 && errno == EINTR) {
    }
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(event_, &count, sizeof count);
    return true;
}

bool WakeEvent::wait(int milliseconds) noexcept {
    if (event_ < 0) {  // look again often instead
        ::poll(nullptr, 0, std::min(milliseconds, 10));
        return true;
    }
    if (!begin_wait()) return true;
    pollfd entry{event_, POLLIN, 0};
    ::poll(&entry, 1, milliseconds);
    return end_wait();
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
    const bool waiting = begin_wait();
    const auto limit = waiting ? std::clamp<std::chrono::milliseconds::rep>(timeout.count(), 0, INT_MAX) : 0;
    const int ready = ::poll(entries.data(), used, static_cast<int>(limit));
    if (waiting) end_wait();
    if (ready <= 0) return false;
    return std::any_of(entries.begin() + 1, entries.begin() + static_cast<std::ptrdiff_t>(used),
                       [](const pollfd& entry) { return entry.revents != 0; });
}

}  // namespace nfstreamd
