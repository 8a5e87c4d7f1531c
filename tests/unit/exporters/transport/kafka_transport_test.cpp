// SPDX-License-Identifier: Apache-2.0
// Against a cluster of librdkafka's own mock, in this process.
#ifdef NFSTREAMD_WITH_KAFKA
#include "exporters/transport/kafka_transport.hpp"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>

#include "tests/support/captured_log.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

class Cluster {
public:
    Cluster() {
        char error[256];
        rd_kafka_conf_t* conf = ::rd_kafka_conf_new();
        ::rd_kafka_conf_set(conf, "log_level", "0", error, sizeof error);
        client_ = ::rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
        cluster_ = ::rd_kafka_mock_cluster_new(client_, 1);
        ::rd_kafka_mock_topic_create(cluster_, "flows", 1, 1);
    }
    ~Cluster() {
        ::rd_kafka_mock_cluster_destroy(cluster_);
        ::rd_kafka_destroy(client_);
    }
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    KafkaOptions options() const {
        KafkaOptions made;
        made.brokers = {::rd_kafka_mock_cluster_bootstraps(cluster_)};
        made.topic = "flows";
        made.in_flight = 10;
        made.in_flight_octets = 1'000'000;
        return made;
    }
    void take_down() { ::rd_kafka_mock_broker_set_down(cluster_, 1); }
    void bring_up() { ::rd_kafka_mock_broker_set_up(cluster_, 1); }
    void refuse(rd_kafka_resp_err_t error) { ::rd_kafka_mock_push_request_errors(cluster_, 0, 1, error); }

    // Payloads in the topic, in order.
    std::vector<std::string> messages() const {
        char error[256];
        rd_kafka_conf_t* conf = ::rd_kafka_conf_new();
        ::rd_kafka_conf_set(conf, "bootstrap.servers", ::rd_kafka_mock_cluster_bootstraps(cluster_), error,
                            sizeof error);
        ::rd_kafka_conf_set(conf, "enable.partition.eof", "true", error, sizeof error);
        rd_kafka_t* consumer = ::rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
        rd_kafka_topic_t* topic = ::rd_kafka_topic_new(consumer, "flows", nullptr);
        ::rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_BEGINNING);
        std::vector<std::string> found;
        const auto end = Publisher::Clock::now() + 20s;
        for (bool done = false; !done && Publisher::Clock::now() < end;) {
            rd_kafka_message_t* message = ::rd_kafka_consume(topic, 0, 1000);
            if (!message) continue;
            done = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
                found.emplace_back(static_cast<const char*>(message->payload), message->len);
            ::rd_kafka_message_destroy(message);
        }
        ::rd_kafka_consume_stop(topic, 0);
        ::rd_kafka_topic_destroy(topic);
        ::rd_kafka_destroy(consumer);
        return found;
    }

private:
    rd_kafka_t* client_ = nullptr;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

Publisher::Clock::time_point within(std::chrono::milliseconds time) {
    return Publisher::Clock::now() + time;
}

std::size_t count(KafkaTransport& transport, Outcome outcome) {
    return static_cast<std::size_t>(std::count_if(transport.settled().begin(), transport.settled().end(),
                                                  [&](const auto& settled) { return settled.outcome == outcome; }));
}

// Until it fails as a session that is lost does.
bool is_lost(KafkaTransport& transport) {
    const auto end = within(20s);
    while (Publisher::Clock::now() < end) {
        const auto status = transport.settle(within(100ms));
        if (!status && status.error().code == ErrorCode::kUnavailable) return true;
    }
    return false;
}

TEST_CASE("KafkaTransport: messages are settled when the brokers have them") {
    Cluster cluster;
    test::CapturedLog log;
    KafkaTransport transport(cluster.options(), "out", log.logger());
    REQUIRE(transport.open(within(10s)));
    for (std::uint64_t i = 0; i < 5; ++i) REQUIRE(transport.publish({i, std::to_string(i), "key"}, within(1s)));
    REQUIRE(transport.settle(within(10s)));
    CHECK(count(transport, Outcome::kDelivered) == 5);
    CHECK(cluster.messages() == std::vector<std::string>{"0", "1", "2", "3", "4"});
}

TEST_CASE("KafkaTransport: a message that is too large is settled as that, others go") {
    Cluster cluster;
    test::CapturedLog log;
    KafkaOptions options = cluster.options();
    options.message_size = 10'000;
    KafkaTransport transport(options, "out", log.logger());
    REQUIRE(transport.open(within(10s)));
    REQUIRE(transport.publish({0, std::string(20'000, 'x'), ""}, within(1s)));
    REQUIRE(transport.publish({1, "fits", ""}, within(1s)));
    REQUIRE(transport.settle(within(10s)));
    CHECK(count(transport, Outcome::kTooLarge) == 1);
    CHECK(cluster.messages() == std::vector<std::string>{"fits"});
}

TEST_CASE("KafkaTransport: without brokers it is lost, bounded, and goes on when they are back, each message once") {
    Cluster cluster;
    test::CapturedLog log;
    KafkaTransport transport(cluster.options(), "out", log.logger());
    REQUIRE(transport.open(within(10s)));
    cluster.take_down();
    std::uint64_t taken = 0;
    for (; taken < 20; ++taken)
        if (!transport.publish({taken, std::to_string(taken), "key"}, within(10ms))) break;
    CHECK(taken <= 10);  // as many as may be under way
    CHECK(is_lost(transport));
    CHECK_FALSE(transport.open(within(200ms)));
    cluster.bring_up();
    const auto end = within(20s);
    while (!transport.open(within(2s)) && Publisher::Clock::now() < end) {
    }
    REQUIRE(transport.settle(within(20s)));
    CHECK(count(transport, Outcome::kDelivered) == taken);
    CHECK(cluster.messages().size() == taken);
}

TEST_CASE("KafkaTransport: what is forgotten is not sent when the brokers are back") {
    Cluster cluster;
    test::CapturedLog log;
    KafkaTransport transport(cluster.options(), "out", log.logger());
    REQUIRE(transport.open(within(10s)));
    cluster.take_down();
    CHECK(is_lost(transport));
    for (std::uint64_t i = 0; i < 3; ++i) static_cast<void>(transport.publish({i, "forgotten", ""}, within(10ms)));
    transport.forget();
    cluster.bring_up();
    const auto end = within(20s);
    while (!transport.open(within(2s)) && Publisher::Clock::now() < end) {
    }
    REQUIRE(transport.publish({10, "later", ""}, within(1s)));
    REQUIRE(transport.settle(within(20s)));
    CHECK(cluster.messages() == std::vector<std::string>{"later"});
}

TEST_CASE("KafkaTransport: what a broker refuses for good is settled as failed, and logged") {
    Cluster cluster;
    test::CapturedLog log;
    KafkaTransport transport(cluster.options(), "out", log.logger());
    REQUIRE(transport.open(within(10s)));
    cluster.refuse(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    REQUIRE(transport.publish({0, "x", ""}, within(1s)));
    static_cast<void>(transport.settle(within(10s)));
    transport.close(within(5s));
    CHECK(count(transport, Outcome::kFailed) == 1);
    CHECK(log.contains("message given up"));
}

TEST_CASE("KafkaTransport: properties are checked without a broker, and said by their place") {
    const auto bad = KafkaTransport::check({{"linger.ms", "5"}, {"linger.ms", "soon"}, {"no.such", "1"}});
    REQUIRE(bad.size() == 2);
    CHECK(bad[0].index == 1);
    CHECK(bad[1].index == 2);
    CHECK(bad[1].message.find("no.such") != std::string::npos);
}

}  // namespace
}  // namespace nfstreamd::exporters
#endif
