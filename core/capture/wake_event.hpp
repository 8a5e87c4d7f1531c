// SPDX-License-Identifier: Apache-2.0
// Ends a wait of the capturing thread from another thread (eventfd(2)). Owned by
// a packet source; notify() from any thread, wait() from the owner's.
#pragma once
#include <chrono>

namespace nfstreamd {

class WakeEvent {
public:
    WakeEvent() noexcept;
    ~WakeEvent();
    WakeEvent(const WakeEvent&) = delete;
    WakeEvent& operator=(const WakeEvent&) = delete;

    // A notification without a waiter ends the next wait.
    void notify() noexcept;

    // Waits until `descriptor` can be read, has an error or is closed by its
    // writer; true in these cases. False: notified, interrupted, or nothing
    // within `timeout`. A descriptor of -1 only waits.
    bool wait(int descriptor, std::chrono::milliseconds timeout) noexcept;

private:
    int event_;  // -1 when out of descriptors: waits then just take their time
};

}  // namespace nfstreamd
