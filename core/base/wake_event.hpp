// SPDX-License-Identifier: Apache-2.0
// Ends a wait of one thread from another (eventfd(2)). signal() from any
// thread, the waits from one. A signal without a waiter ends the next wait, and
// costs no system call.
#pragma once
#include <atomic>
#include <chrono>
#include <span>

namespace nfstreamd {

class WakeEvent {
public:
    WakeEvent() noexcept;
    ~WakeEvent();
    WakeEvent(const WakeEvent&) = delete;
    WakeEvent& operator=(const WakeEvent&) = delete;

    void signal() noexcept;

    // Waits at most `milliseconds`; true when it was signalled. Clears the signal.
    bool wait(int milliseconds) noexcept;

    // Waits until `descriptor` can be read, has an error or is closed by its
    // writer; true in these cases. False: signalled, interrupted, or nothing
    // within `timeout`. A descriptor of -1 only waits. Clears the signal.
    bool wait(int descriptor, std::chrono::milliseconds timeout) noexcept;

    // The same for several; those beyond the first 255 are not looked at.
    bool wait(std::span<const int> descriptors, std::chrono::milliseconds timeout) noexcept;

private:
    // What was written before signal() is seen after the wait that it ends: each
    // change of state is a read-modify-write in both threads.
    enum class State : int { kIdle, kSignalled, kWaiting };

    bool begin_wait() noexcept;
    bool end_wait() noexcept;

    std::atomic<State> state_{State::kIdle};
    int event_;  // -1 when out of descriptors: waits then are short or take their time
};

}  // namespace nfstreamd
