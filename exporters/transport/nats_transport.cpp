// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/nats_transport.hpp"

#include <fmt/format.h>
#include <nats/nats.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/random_words.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostKept = 8192;               // messages that are not confirmed
constexpr std::size_t kMostOctets = 8 * 1024 * 1024;  // of these
constexpr int kMessageTooLarge = 10054;               // JetStream: more than the stream takes
constexpr auto kLookForLoss = 100ms;
constexpr const char* kMessageId = "Nats-Msg-Id";

struct Free {
    void operator()(natsOptions* options) const noexcept { ::natsOptions_Destroy(options); }
    void operator()(natsConnection* connection) const noexcept { ::natsConnection_Destroy(connection); }
    void operator()(jsCtx* stream) const noexcept { ::jsCtx_Destroy(stream); }
};

std::int64_t milliseconds_until(Publisher::Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Publisher::Clock::now());
    return std::max<std::int64_t>(left.count(), 1);
}

const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += (all.empty() ? "" : ",") + part;
    return all;
}

// What a stream said of messages, by their numbers; written by threads of libnats.
struct Acknowledgements {
    struct Refusal {
        int code = 0;  // JetStream's; 0: no answer that it would be in
        std::string text;
    };
    std::mutex mutex;
    std::condition_variable more;
    std::map<std::uint64_t, std::optional<Refusal>> by_number;
};

// libnats may call back when a connection has gone already, and does not say when
// it is done: so it knows a session by its number, not by its address.
class Sessions {
public:
    std::uintptr_t add(std::shared_ptr<Acknowledgements> session) {
        const std::lock_guard lock(mutex_);
        by_number_[++last_] = std::move(session);
        return last_;
    }
    void remove(std::uintptr_t number) {
        const std::lock_guard lock(mutex_);
        by_number_.erase(number);
    }
    std::shared_ptr<Acknowledgements> find(std::uintptr_t number) {
        const std::lock_guard lock(mutex_);
        const auto found = by_number_.find(number);
        return found == by_number_.end() ? nullptr : found->second;
    }

private:
    std::mutex mutex_;
    std::map<std::uintptr_t, std::shared_ptr<Acknowledgements>> by_number_;
    std::uintptr_t last_ = 0;
};
Sessions& sessions() {
    static Sessions& all = *new Sessions;  // threads of libnats may outlive main()
    return all;
}

// The number of a message is behind the last dot of its id.
std::optional<std::uint64_t> number_of(natsMsg* message) {
    const char* id = nullptr;
    if (::natsMsgHeader_Get(message, kMessageId, &id) != NATS_OK || !id) return std::nullopt;
    const std::string_view text(id);
    const std::string_view digits = text.substr(text.rfind('.') + 1);
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

void on_acknowledgement(jsCtx*, natsMsg* message, jsPubAck*, jsPubAckErr* refusal, void* opaque) {
    const auto number = number_of(message);
    ::natsMsg_Destroy(message);
    const auto session = sessions().find(reinterpret_cast<std::uintptr_t>(opaque));
    if (!number || !session) return;
    std::optional<Acknowledgements::Refusal> refused;
    if (refusal)
        refused = {static_cast<int>(refusal->ErrCode),
                   refusal->ErrText ? refusal->ErrText : ::natsStatus_GetText(refusal->Err)};
    const std::lock_guard lock(session->mutex);
    session->by_number[*number] = std::move(refused);
    session->more.notify_one();
}

}  // namespace

struct NatsTransport::Session {
    std::shared_ptr<Acknowledgements> acknowledgements = std::make_shared<Acknowledgements>();
    const std::uintptr_t number = sessions().add(acknowledgements);
    std::unique_ptr<natsConnection, Free> connection;
    std::unique_ptr<jsCtx, Free> stream;  // goes first

    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() {
        sessions().remove(number);
        stream.reset();
        if (connection) ::natsConnection_Close(connection.get());
    }
};

NatsTransport::NatsTransport(NatsOptions options)
    : options_(std::move(options)),
      description_(fmt::format("{}/{}", joined(options_.servers), options_.subject)),
      run_(fmt::format("{:016x}", random_word())) {}

NatsTransport::~NatsTransport() = default;

Status NatsTransport::lost(int status, const char* what) {
    const char* last = ::nats_GetLastError(nullptr);
    const char* text = ::natsStatus_GetText(static_cast<natsStatus>(status));
    return Error{ErrorCode::kUnavailable,
                 last && *last ? fmt::format("{}: {}: {} ({})", description_, what, text, last)
                               : fmt::format("{}: {}: {}", description_, what, text),
                 ""};
}

// What is kept goes first.
Status NatsTransport::open(Clock::time_point deadline) {
    session_.reset();
    if (Status status = connect(deadline); !status) return status;
    for (const Kept& message : kept_)
        if (Status status = hand_over(message); !status) return status;
    return ok();
}

// libnats is not to connect again by itself: what it had under way would be unknown.
Status NatsTransport::connect(Clock::time_point deadline) {
    natsOptions* made = nullptr;
    if (::natsOptions_Create(&made) != NATS_OK) return Error{ErrorCode::kInternal, "libnats: no memory", ""};
    const std::unique_ptr<natsOptions, Free> options(made);
    std::vector<const char*> servers;
    for (const std::string& server : options_.servers) servers.push_back(server.c_str());
    natsStatus status = ::natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size()));
    const auto then = [&status](natsStatus next) {
        if (status == NATS_OK) status = next;
    };
    then(::natsOptions_SetAllowReconnect(made, false));
    then(::natsOptions_SetTimeout(
        made, std::max<std::int64_t>(milliseconds_until(deadline) / static_cast<std::int64_t>(servers.size()), 100)));
    then(::natsOptions_SetName(made, options_.client_name.c_str()));
    if (!options_.user.empty()) then(::natsOptions_SetUserInfo(made, options_.user.c_str(), options_.password.c_str()));
    if (!options_.token.empty()) then(::natsOptions_SetToken(made, options_.token.c_str()));
    if (!options_.credentials_file.empty())
        then(::natsOptions_SetUserCredentialsFromFiles(made, options_.credentials_file.c_str(), nullptr));
    if (options_.tls) then(::natsOptions_SetSecure(made, true));
    if (!options_.ca_file.empty()) then(::natsOptions_LoadCATrustedCertificates(made, options_.ca_file.c_str()));
    if (!options_.certificate_file.empty())
        then(::natsOptions_LoadCertificatesChain(made, options_.certificate_file.c_str(), or_null(options_.key_file)));
    if (status != NATS_OK) return lost(status, "options");

    auto session = std::make_unique<Session>();
    natsConnection* connection = nullptr;
    status = ::natsConnection_Connect(&connection, made);
    session->connection.reset(connection);
    if (status != NATS_OK) return lost(status, "cannot connect");
    if (options_.jetstream) {
        jsOptions stream;
        ::jsOptions_Init(&stream);
        stream.PublishAsync.MaxPending = static_cast<std::int64_t>(2 * kMostKept);
        stream.PublishAsync.AckHandler = &on_acknowledgement;
        stream.PublishAsync.AckHandlerClosure = reinterpret_cast<void*>(session->number);  // NOLINT
        jsCtx* context = nullptr;
        status = ::natsConnection_JetStream(&context, connection, &stream);
        session->stream.reset(context);
        if (status != NATS_OK) return lost(status, "no JetStream");
    }
    session_ = std::move(session);
    return ok();
}

Status NatsTransport::hand_over(const Kept& message) {
    natsStatus status = NATS_OK;
    const auto length = static_cast<int>(message.payload.size());
    if (options_.jetstream) {
        const std::string id = fmt::format("{}.{}", run_, message.number);
        jsPubOptions publish;
        ::jsPubOptions_Init(&publish);
        publish.MsgId = id.c_str();
        status = ::js_PublishAsync(session_->stream.get(), options_.subject.c_str(), message.payload.data(), length,
                                   &publish);
    } else {
        status = ::natsConnection_Publish(session_->connection.get(), options_.subject.c_str(), message.payload.data(),
                                          length);
    }
    return status == NATS_OK ? ok() : lost(status, "cannot publish");
}

Status NatsTransport::publish(const OutgoingMessage& message, Clock::time_point deadline) {
    if (!session_) return lost(NATS_CONNECTION_CLOSED, "not connected");
    if (static_cast<std::int64_t>(message.payload.size()) >
        ::natsConnection_GetMaxPayload(session_->connection.get())) {
        note(message.number, Outcome::kTooLarge);
        return ok();
    }
    if (kept_.size() >= kMostKept || (octets_ > 0 && octets_ + message.payload.size() > kMostOctets))
        if (Status status = settle(deadline); !status) return status;
    Kept kept{message.number, std::string(message.payload)};
    if (Status status = hand_over(kept); !status) {
        session_.reset();
        return status;
    }
    octets_ += kept.payload.size();
    kept_.push_back(std::move(kept));
    return ok();
}

Status NatsTransport::progress(Clock::time_point) {
    if (!session_) return lost(NATS_CONNECTION_CLOSED, "not connected");
    if (!::natsConnection_IsClosed(session_->connection.get())) return ok();
    session_.reset();
    return lost(NATS_CONNECTION_CLOSED, "lost");
}

Status NatsTransport::settle(Clock::time_point deadline) {
    if (Status status = progress(deadline); !status) return status;
    Status status = options_.jetstream ? confirm_by_stream(deadline) : confirm_by_ping(deadline);
    if (!status && status.error().code != ErrorCode::kBusy) session_.reset();
    return status;
}

Status NatsTransport::confirm_by_ping(Clock::time_point deadline) {
    const natsStatus status = ::natsConnection_FlushTimeout(session_->connection.get(), milliseconds_until(deadline));
    if (status == NATS_TIMEOUT) return Error{ErrorCode::kBusy, description_ + ": no answer yet", ""};
    if (status != NATS_OK) return lost(status, "lost");
    for (const Kept& message : kept_) note(message.number, Outcome::kDelivered);
    kept_.clear();
    octets_ = 0;
    return ok();
}

// A message that is too large for the stream is given up; whatever else a stream
// says may be otherwise next time, and a message that it has got is not taken twice.
Status NatsTransport::confirm_by_stream(Clock::time_point deadline) {
    Acknowledgements& told = *session_->acknowledgements;
    std::unique_lock lock(told.mutex);
    while (told.by_number.size() < kept_.size() && Clock::now() < deadline) {
        told.more.wait_until(lock, std::min(deadline, Clock::now() + kLookForLoss));
        if (::natsConnection_IsClosed(session_->connection.get())) break;
    }
    std::deque<Kept> rest;
    std::string reason;
    for (Kept& message : kept_) {
        const auto found = told.by_number.find(message.number);
        const bool known = found != told.by_number.end();
        if (known && !found->second) {
            note(message.number, Outcome::kDelivered);
        } else if (known && found->second->code == kMessageTooLarge) {
            note(message.number, Outcome::kTooLarge);
        } else {
            if (known) reason = found->second->text;
            rest.push_back(std::move(message));
        }
    }
    told.by_number.clear();
    kept_ = std::move(rest);
    octets_ = 0;
    for (const Kept& message : kept_) octets_ += message.payload.size();
    if (kept_.empty()) return ok();
    if (!reason.empty()) return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", description_, reason), ""};
    if (::natsConnection_IsClosed(session_->connection.get())) return lost(NATS_CONNECTION_CLOSED, "lost");
    return Error{ErrorCode::kBusy, description_ + ": not all messages are acknowledged", ""};
}

void NatsTransport::forget() noexcept {
    session_.reset();
    kept_.clear();
    octets_ = 0;
}

void NatsTransport::close(Clock::time_point deadline) noexcept {
    if (session_) static_cast<void>(settle(deadline));
    forget();
}

}  // namespace nfstreamd::exporters
