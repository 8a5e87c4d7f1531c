// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/mqtt_transport.hpp"

#include <fmt/format.h>
#include <mosquitto.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "exporters/transport/endpoint.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostUnderWay = 1000;            // messages; packet ids are 16 bits
constexpr std::size_t kMostOctets = 16 * 1024 * 1024;  // of these
constexpr int kMostInflight = 100;                     // that the broker has not confirmed
constexpr int kSlice = 100;                            // milliseconds of one look at the socket
constexpr const char* kAuthorities = "/etc/ssl/certs";

// Never undone: other exporters may be at it.
void begin_library() {
    static const int kBegun = ::mosquitto_lib_init();
    static_cast<void>(kBegun);
}

int milliseconds_until(Publisher::Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Publisher::Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kSlice));
}

const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

}  // namespace

struct MqttTransport::Client {
    mosquitto* handle;
    explicit Client(mosquitto* made) : handle(made) {}
    ~Client() { ::mosquitto_destroy(handle); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
};

struct MqttTransport::Callbacks {
    static MqttTransport& self(void* opaque) { return *static_cast<MqttTransport*>(opaque); }

    static void on_connect(mosquitto*, void* opaque, int code) {
        self(opaque).refusal_ = code;
        self(opaque).connected_ = code == 0;
    }
    static void on_disconnect(mosquitto*, void* opaque, int) { self(opaque).connected_ = false; }
    static void on_publish(mosquitto*, void* opaque, int id) { self(opaque).note_published(id); }
    static void on_log(mosquitto*, void* opaque, int level, const char* text) {
        if (level != MOSQ_LOG_WARNING && level != MOSQ_LOG_ERR) return;
        MqttTransport& transport = self(opaque);
        if (const auto held = transport.library_log_.admit(); held >= 0)
            transport.logger_.warning("libmosquitto",
                                      {{"name", transport.name_}, {"text", text}, {"suppressed", held}});
    }
};

MqttTransport::MqttTransport(MqttOptions options, std::string name, Logger& logger)
    : options_(std::move(options)),
      name_(std::move(name)),
      description_(
          fmt::format("{}://{}:{}/{}", options_.tls ? "mqtts" : "mqtt", options_.host, options_.port, options_.topic)),
      logger_(logger) {}

MqttTransport::~MqttTransport() = default;

Status MqttTransport::open(Clock::time_point deadline) {
    if (!client_)
        if (Status status = create(); !status) return status;
    fail_what_is_not_kept();
    return connect(deadline);
}

Status MqttTransport::create() {
    begin_library();
    mosquitto* handle = ::mosquitto_new(or_null(options_.client_id), options_.clean_session, this);
    if (!handle) return Error{ErrorCode::kInternal, fmt::format("libmosquitto: {}", std::strerror(errno)), ""};
    client_ = std::make_unique<Client>(handle);
    ::mosquitto_connect_callback_set(handle, &Callbacks::on_connect);
    ::mosquitto_disconnect_callback_set(handle, &Callbacks::on_disconnect);
    ::mosquitto_publish_callback_set(handle, &Callbacks::on_publish);
    ::mosquitto_log_callback_set(handle, &Callbacks::on_log);
    ::mosquitto_max_inflight_messages_set(handle, kMostInflight);
    int code = MOSQ_ERR_SUCCESS;
    if (!options_.user.empty())
        code = ::mosquitto_username_pw_set(handle, options_.user.c_str(), or_null(options_.password));
    if (code == MOSQ_ERR_SUCCESS && options_.tls)
        code = ::mosquitto_tls_set(handle, or_null(options_.ca_file), options_.ca_file.empty() ? kAuthorities : nullptr,
                                   or_null(options_.certificate_file), or_null(options_.key_file), nullptr);
    if (code == MOSQ_ERR_SUCCESS) return ok();
    client_.reset();
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", description_, ::mosquitto_strerror(code)), ""};
}

Status MqttTransport::connect(Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    const auto addresses = resolve_host(options_.host, std::max(left, 1ms));
    if (!addresses) return addresses.error();
    connected_ = false;
    refusal_ = 0;
    // a certificate is of the name; else the address spares a second look-up, which would have no deadline
    const std::string host = options_.tls ? options_.host : addresses.value().front().to_string();
    int code = ::mosquitto_connect_async(client_->handle, host.c_str(), options_.port,
                                         static_cast<int>(options_.keepalive.count()));
    if (code != MOSQ_ERR_SUCCESS) return lost(code);
    while (!connected_) {
        if (refusal_ != 0)
            return Error{ErrorCode::kUnavailable,
                         fmt::format("{}: {}", description_, ::mosquitto_connack_string(refusal_)), ""};
        if (Clock::now() >= deadline) return Error{ErrorCode::kUnavailable, description_ + ": no answer", ""};
        if (Status status = loop(milliseconds_until(deadline)); !status) return status;
    }
    return ok();
}

Status MqttTransport::loop(int timeout_ms) {
    const int code = ::mosquitto_loop(client_->handle, timeout_ms, 1);
    return code == MOSQ_ERR_SUCCESS || refusal_ != 0 ? ok() : lost(code);
}

Status MqttTransport::lost(int code) {
    connected_ = false;
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("{}: {}", description_, code == MOSQ_ERR_ERRNO ? std::strerror(errno) : ::mosquitto_strerror(code)),
        ""};
}

// Messages of quality 0 are not sent again.
void MqttTransport::fail_what_is_not_kept() {
    if (options_.qos > 0) return;
    for (const auto& [id, message] : under_way_) note(message.number, Outcome::kFailed);
    under_way_.clear();
    octets_ = 0;
}

void MqttTransport::note_published(int id) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end()) return early_.push_back(id);
    note(found->second.number, Outcome::kDelivered);
    octets_ -= found->second.octets;
    under_way_.erase(found);
}

Status MqttTransport::publish(const OutgoingMessage& message, Clock::time_point deadline) {
    if (!connected_) return lost(MOSQ_ERR_NO_CONN);
    while (under_way_.size() >= kMostUnderWay || (octets_ > 0 && octets_ + message.payload.size() > kMostOctets)) {
        if (Status status = loop(milliseconds_until(deadline)); !status) return status;
        if (!connected_) return lost(MOSQ_ERR_CONN_LOST);
        if (Clock::now() >= deadline)
            return Error{ErrorCode::kBusy, description_ + ": as many messages as may be are not confirmed", ""};
    }
    int id = 0;
    early_.clear();
    const int code =
        ::mosquitto_publish(client_->handle, &id, options_.topic.c_str(), static_cast<int>(message.payload.size()),
                            message.payload.data(), options_.qos, options_.retain);
    if (code == MOSQ_ERR_PAYLOAD_SIZE || code == MOSQ_ERR_OVERSIZE_PACKET) {
        note(message.number, Outcome::kTooLarge);
        return ok();
    }
    // without a connection libmosquitto keeps what it will send again
    const bool taken = code == MOSQ_ERR_SUCCESS || (options_.qos > 0 && code == MOSQ_ERR_NO_CONN);
    if (!taken) return lost(code);
    under_way_.insert_or_assign(id, UnderWay{message.number, message.payload.size()});
    octets_ += message.payload.size();
    if (std::find(early_.begin(), early_.end(), id) != early_.end()) note_published(id);
    return ok();
}

Status MqttTransport::progress(Clock::time_point) {
    if (!client_ || !connected_) return lost(MOSQ_ERR_NO_CONN);
    if (Status status = loop(0); !status) return status;
    return connected_ ? ok() : lost(MOSQ_ERR_CONN_LOST);
}

Status MqttTransport::settle(Clock::time_point deadline) {
    if (Status status = progress(deadline); !status) return status;
    while (!under_way_.empty()) {
        if (Clock::now() >= deadline)
            return Error{ErrorCode::kBusy, description_ + ": not all messages are confirmed", ""};
        if (Status status = loop(milliseconds_until(deadline)); !status) return status;
        if (!connected_) return lost(MOSQ_ERR_CONN_LOST);
    }
    return ok();
}

void MqttTransport::forget() noexcept {
    client_.reset();
    connected_ = false;
    under_way_.clear();
    octets_ = 0;
}

void MqttTransport::close(Clock::time_point deadline) noexcept {
    if (client_ && connected_) {
        static_cast<void>(settle(deadline));
        ::mosquitto_disconnect(client_->handle);
        for (int i = 0; i < 5 && ::mosquitto_want_write(client_->handle); ++i) ::mosquitto_loop(client_->handle, 20, 1);
    }
    forget();
}

}  // namespace nfstreamd::exporters
