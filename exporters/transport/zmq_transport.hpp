// SPDX-License-Identifier: Apache-2.0
// Messages to a PUB or PUSH socket of ZeroMQ by libzmq. Nobody confirms them: a
// message is delivered when libzmq has taken it, and what its queues hold when
// the exporter closes has a moment to leave. Belongs to the thread of its
// exporter.
#pragma once
#include <memory>
#include <string>

#include "core/base/log.hpp"
#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

struct ZmqOptions {
    std::string endpoint;        // as libzmq has it: "tcp://*:5556", "ipc:///run/flows"
    bool push = false;           // PUSH, to one of the peers; else PUB, to all subscribers
    bool bind = true;            // else connect
    std::string topic;           // PUB: a first frame, if not empty
    int high_water_mark = 1000;  // messages that wait for a peer
    bool wait_for_slow = false;  // PUB: be busy rather than leave out a slow subscriber
};

class ZmqTransport final : public Publisher {
public:
    explicit ZmqTransport(ZmqOptions options);
    ~ZmqTransport() override;

    Status open(Clock::time_point deadline) override;
    Status publish(const OutgoingMessage& message, Clock::time_point deadline) override;
    Status progress(Clock::time_point deadline) override;
    Status settle(Clock::time_point deadline) override;
    void forget() noexcept override {}  // nothing is under way
    void close(Clock::time_point deadline) noexcept override;
    std::string description() const override { return "zmq+" + options_.endpoint; }

private:
    struct Sockets;  // libzmq's

    Status create();
    Status wait_for_peer(Clock::time_point deadline);
    void read_events(int timeout_ms);
    Status failure(const char* what) const;

    const ZmqOptions options_;
    std::unique_ptr<Sockets> sockets_;
    long peers_ = 0;  // connections that stand
};

}  // namespace nfstreamd::exporters
