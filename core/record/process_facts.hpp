// SPDX-License-Identifier: Apache-2.0
// What a process tells of itself beside its flow records: what its metering
// processes could not meter, its interfaces, the applications it knows. Written by
// the control thread, read by exporters' threads.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace nfstreamd {

// Packets that should have been metered and were not (RFC 7011, 4.2). Totals since
// the start; times in milliseconds since 1970, as they were noticed, 0: never.
struct MeteringStatistics {
    std::uint32_t process = 0;  // IE 143; 0: all metering processes of the run, those that have ended too
    std::uint64_t ignored_packets = 0;
    std::uint64_t ignored_octets = 0;  // of those of them whose length is known
    std::int64_t first_ms = 0, last_ms = 0;
    friend bool operator==(const MeteringStatistics&, const MeteringStatistics&) = default;
};

struct InterfaceInfo {
    std::uint32_t index = 0;        // the kernel's, as in flow records
    std::string name, description;  // "eth0"; the operator's alias, may be empty
    friend bool operator==(const InterfaceInfo&, const InterfaceInfo&) = default;
};

struct ApplicationInfo {
    std::uint16_t id = 0;  // as in flow records
    std::string name, description, category;
    friend bool operator==(const ApplicationInfo&, const ApplicationInfo&) = default;
};
using ApplicationList = std::vector<ApplicationInfo>;

class ProcessFacts {
public:
    explicit ProcessFacts(std::int64_t started_ms = 0) : started_ms_(started_ms) {}

    std::int64_t started_ms() const noexcept { return started_ms_; }

    // The sum first, then each metering process that runs.
    void set_metering(std::vector<MeteringStatistics> metering) {
        const std::lock_guard lock(mutex_);
        metering_ = std::move(metering);
    }
    std::vector<MeteringStatistics> metering() const {
        const std::lock_guard lock(mutex_);
        return metering_;
    }

    void set_interfaces(std::vector<InterfaceInfo> interfaces) {
        const std::lock_guard lock(mutex_);
        if (interfaces_ == interfaces) return;
        interfaces_ = std::move(interfaces);
        version_.fetch_add(1);
    }
    std::vector<InterfaceInfo> interfaces() const {
        const std::lock_guard lock(mutex_);
        return interfaces_;
    }

    void set_applications(ApplicationList applications) {
        const std::lock_guard lock(mutex_);
        if (*applications_ == applications) return;
        applications_ = std::make_shared<const ApplicationList>(std::move(applications));
        version_.fetch_add(1);
    }
    std::shared_ptr<const ApplicationList> applications() const {  // never null
        const std::lock_guard lock(mutex_);
        return applications_;
    }

    // Another one after each change of interfaces or applications; read before them.
    std::uint64_t version() const noexcept { return version_.load(); }

private:
    const std::int64_t started_ms_;
    mutable std::mutex mutex_;  // guards the next three
    std::vector<MeteringStatistics> metering_;
    std::vector<InterfaceInfo> interfaces_;
    std::shared_ptr<const ApplicationList> applications_ = std::make_shared<const ApplicationList>();
    std::atomic<std::uint64_t> version_{0};
};

}  // namespace nfstreamd
