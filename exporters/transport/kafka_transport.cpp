// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/kafka_transport.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr auto kRoomWait = 50ms;               // of one look for room
constexpr std::size_t kRecordOverhead = 4096;  // key and framing of a message of the greatest length

struct Free {
    void operator()(rd_kafka_conf_t* conf) const noexcept { ::rd_kafka_conf_destroy(conf); }
    void operator()(rd_kafka_topic_t* topic) const noexcept { ::rd_kafka_topic_destroy(topic); }
    void operator()(rd_kafka_t* producer) const noexcept { ::rd_kafka_destroy(producer); }
    void operator()(const rd_kafka_metadata_t* metadata) const noexcept { ::rd_kafka_metadata_destroy(metadata); }
};

int milliseconds_until(Publisher::Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Publisher::Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += (all.empty() ? "" : ",") + part;
    return all;
}

// Message numbers travel as librdkafka's opaque pointers.
void* as_opaque(std::uint64_t number) noexcept {
    static_assert(sizeof(void*) >= sizeof(std::uint64_t));
    return reinterpret_cast<void*>(number);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

struct KafkaTransport::Session {
    std::unique_ptr<rd_kafka_t, Free> producer;
    std::unique_ptr<rd_kafka_topic_t, Free> topic;  // goes first
};

struct KafkaTransport::Callbacks {
    static KafkaTransport& self(void* opaque) { return *static_cast<KafkaTransport*>(opaque); }

    static void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        const auto number = reinterpret_cast<std::uint64_t>(message->_private);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return self(opaque).note(number, Outcome::kDelivered);
        const bool too_large = message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        self(opaque).note(number, too_large ? Outcome::kTooLarge : Outcome::kFailed);
        if (const auto held = self(opaque).failed_log_.admit(); held >= 0)
            self(opaque).logger_.warning("message given up", {{"name", self(opaque).name_},
                                                              {"destination", self(opaque).description_},
                                                              {"error", ::rd_kafka_err2str(message->err)},
                                                              {"suppressed", held}});
    }

    static void on_error(rd_kafka_t* producer, int error, const char* reason, void* opaque) {
        if (error == RD_KAFKA_RESP_ERR__FATAL) {
            std::array<char, 512> text{};
            ::rd_kafka_fatal_error(producer, text.data(), text.size());
            self(opaque).fatal_ = true;
            self(opaque).reason_ = text.data();
            return;
        }
        if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
            self(opaque).down_ = true;
        else
            self(opaque).reason_ = reason;
    }

    // Severities are syslog's.
    static void on_log(const rd_kafka_t* producer, int level, const char* facility, const char* text) {
        KafkaTransport& transport = self(::rd_kafka_opaque(producer));
        if (level > 4) {
            transport.logger_.debug("librdkafka", {{"name", transport.name_}, {"facility", facility}, {"text", text}});
        } else if (const auto held = transport.library_log_.admit(); held >= 0) {
            transport.logger_.warning(
                "librdkafka",
                {{"name", transport.name_}, {"facility", facility}, {"text", text}, {"suppressed", held}});
        }
    }
};

std::vector<KafkaTransport::BadProperty> KafkaTransport::check(
    const std::vector<std::pair<std::string, std::string>>& properties) {
    const std::unique_ptr<rd_kafka_conf_t, Free> conf(::rd_kafka_conf_new());
    std::vector<BadProperty> bad;
    for (std::size_t i = 0; i < properties.size(); ++i) {
        std::array<char, 512> text{};
        const auto& [name, value] = properties[i];
        if (::rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK)
            bad.push_back({i, text.data()});
    }
    return bad;
}

KafkaTransport::KafkaTransport(KafkaOptions options, std::string name, Logger& logger)
    : options_(std::move(options)),
      name_(std::move(name)),
      description_(fmt::format("kafka://{}/{}", exporters::joined(options_.brokers), options_.topic)),
      logger_(logger) {}

KafkaTransport::~KafkaTransport() {
    drop_session();
}

Status KafkaTransport::open(Clock::time_point deadline) {
    if (fatal_) drop_session();
    if (!session_)
        if (Status status = create(); !status) return status;
    down_ = false;
    return find_topic(deadline);
}

Status KafkaTransport::create() {
    std::unique_ptr<rd_kafka_conf_t, Free> conf(::rd_kafka_conf_new());
    std::array<char, 512> text{};
    std::vector<std::pair<std::string, std::string>> all{
        {"bootstrap.servers", exporters::joined(options_.brokers)},
        {"enable.idempotence", "true"},  // acks=all with it
        {"message.max.bytes", std::to_string(options_.message_size + kRecordOverhead)},
        {"message.timeout.ms", std::to_string(options_.delivery_timeout.count())},
        {"queue.buffering.max.messages", std::to_string(options_.in_flight)},
        {"queue.buffering.max.kbytes", std::to_string(std::max<std::size_t>(options_.in_flight_octets / 1024, 1))},
        {"partitioner", "murmur2_random"},  // as the Java client's
        {"log.queue", "true"},
        {"ssl.endpoint.identification.algorithm", "https"},  // a broker's certificate has its name
    };
    all.insert(all.end(), options_.properties.begin(), options_.properties.end());
    for (const auto& [name, value] : all)
        if (::rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK)
            return Error{ErrorCode::kInvalidArgument, fmt::format("librdkafka: {}", text.data()), ""};
    ::rd_kafka_conf_set_opaque(conf.get(), this);
    ::rd_kafka_conf_set_dr_msg_cb(conf.get(), &Callbacks::on_report);
    ::rd_kafka_conf_set_error_cb(conf.get(), &Callbacks::on_error);
    ::rd_kafka_conf_set_log_cb(conf.get(), &Callbacks::on_log);
    fatal_ = down_ = false;
    reason_.clear();
    auto session = std::make_unique<Session>();
    session->producer.reset(::rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text.data(), text.size()));
    if (!session->producer) return Error{ErrorCode::kInvalidArgument, fmt::format("librdkafka: {}", text.data()), ""};
    static_cast<void>(conf.release());                           // the producer's now
    ::rd_kafka_set_log_queue(session->producer.get(), nullptr);  // log lines come by rd_kafka_poll, to this thread
    session->topic.reset(::rd_kafka_topic_new(session->producer.get(), options_.topic.c_str(), nullptr));
    if (!session->topic)
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("topic \"{}\": {}", options_.topic, ::rd_kafka_err2str(::rd_kafka_last_error())), ""};
    session_ = std::move(session);
    return ok();
}

// Asks for the topic, as only an answer proves that there is a broker.
Status KafkaTransport::find_topic(Clock::time_point deadline) {
    const rd_kafka_metadata_t* answer = nullptr;
    const auto error = ::rd_kafka_metadata(session_->producer.get(), 0, session_->topic.get(), &answer,
                                           std::max(milliseconds_until(deadline), 1));
    const std::unique_ptr<const rd_kafka_metadata_t, Free> owner(answer);
    ::rd_kafka_poll(session_->producer.get(), 0);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return Error{ErrorCode::kUnavailable,
                     fmt::format("{}: {}", description_, reason_.empty() ? ::rd_kafka_err2str(error) : reason_), ""};
    down_ = false;
    if (answer->topic_cnt != 1 || answer->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return Error{ErrorCode::kUnavailable,
                     fmt::format("{}: {}", description_,
                                 answer->topic_cnt != 1 ? "no such topic" : ::rd_kafka_err2str(answer->topics[0].err)),
                     ""};
    reason_.clear();
    return fatal_ ? lost() : ok();
}

Status KafkaTransport::lost() const {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: {}", description_, reason_.empty() ? "all brokers are down" : reason_), ""};
}

Status KafkaTransport::publish(const OutgoingMessage& message, Clock::time_point deadline) {
    if (!session_) return lost();
    while (true) {
        const int done = ::rd_kafka_produce(session_->topic.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                            const_cast<char*>(message.payload.data()), message.payload.size(),
                                            message.key.empty() ? nullptr : message.key.data(), message.key.size(),
                                            as_opaque(message.number));
        if (done == 0) return ok();
        const auto error = ::rd_kafka_last_error();
        if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
            note(message.number, Outcome::kTooLarge);
            return ok();
        }
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            reason_ = ::rd_kafka_err2str(error);
            return lost();
        }
        ::rd_kafka_poll(session_->producer.get(),
                        std::min(milliseconds_until(deadline), static_cast<int>(kRoomWait.count())));
        if (down_ || fatal_) return lost();
        if (Clock::now() >= deadline)
            return Error{ErrorCode::kBusy, description_ + ": as many messages as may be are not confirmed", ""};
    }
}

Status KafkaTransport::progress(Clock::time_point) {
    if (!session_) return lost();
    ::rd_kafka_poll(session_->producer.get(), 0);
    return down_ || fatal_ ? lost() : ok();
}

Status KafkaTransport::settle(Clock::time_point deadline) {
    if (!session_) return lost();
    while (true) {
        // in slices, as a broker that is down is told of in between
        const auto slice = std::min(deadline, Clock::now() + 200ms);
        const auto error = ::rd_kafka_flush(session_->producer.get(), milliseconds_until(slice));
        ::rd_kafka_poll(session_->producer.get(), 0);
        if (fatal_) return lost();
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return down_ ? lost() : ok();
        if (down_) return lost();
        if (Clock::now() >= deadline)
            return Error{ErrorCode::kBusy, description_ + ": not all messages are confirmed", ""};
    }
}

void KafkaTransport::forget() noexcept {
    drop_session();
}

void KafkaTransport::close(Clock::time_point deadline) noexcept {
    if (session_ && !down_ && !fatal_) static_cast<void>(settle(deadline));
    drop_session();
}

// What is still under way is reported as purged.
void KafkaTransport::drop_session() noexcept {
    if (!session_) return;
    ::rd_kafka_purge(session_->producer.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    failed_log_ = RateLimit();
    static_cast<void>(failed_log_.admit());  // a purge tells nothing new
    while (::rd_kafka_outq_len(session_->producer.get()) > 0 && ::rd_kafka_poll(session_->producer.get(), 100) > 0) {
    }
    session_.reset();
    fatal_ = down_ = false;
}

}  // namespace nfstreamd::exporters
