// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/http_transport.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr long kConnectTimeout = 5000;    // milliseconds
constexpr std::size_t kAnswerKept = 400;  // octets of what a server says
constexpr long kTooLarge = 413;

// The message is not at fault: who may not enter, what is not there (yet), who comes too often.
constexpr std::array kServerAtFault{401L, 403L, 404L, 405L, 407L, 408L, 421L, 425L, 429L};

// Never undone: other exporters may be at it.
void begin_library() {
    static const CURLcode kBegun = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(kBegun);
}

struct Free {
    void operator()(CURLU* url) const noexcept { ::curl_url_cleanup(url); }
    void operator()(char* text) const noexcept { ::curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    ::curl_url_get(url, part, &text, 0);
    const std::unique_ptr<char, Free> owner(text);
    return text ? text : "";
}

// Without the query, which may be long or have secrets.
std::string without_query(const std::string& text) {
    const std::unique_ptr<CURLU, Free> url(::curl_url());
    if (::curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return "";
    ::curl_url_set(url.get(), CURLUPART_QUERY, nullptr, 0);
    return part_of(url.get(), CURLUPART_URL);
}

std::string in_one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    return text;
}

}  // namespace

struct HttpTransport::Request {
    CURLM* multi = nullptr;
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    std::array<char, CURL_ERROR_SIZE> error{};
    std::string answer;
    bool in_multi = false;

    ~Request() {
        stop();
        ::curl_easy_cleanup(easy);
        ::curl_multi_cleanup(multi);
        ::curl_slist_free_all(headers);
    }
    void stop() {
        if (std::exchange(in_multi, false)) ::curl_multi_remove_handle(multi, easy);
    }
    bool add_header(const std::string& header) {
        curl_slist* longer = ::curl_slist_append(headers, header.c_str());
        if (longer) headers = longer;
        return longer != nullptr;
    }
    static std::size_t on_answer(char* octets, std::size_t size, std::size_t count, void* opaque) {
        auto& answer = static_cast<Request*>(opaque)->answer;
        answer.append(octets, std::min(size * count, kAnswerKept - std::min(answer.size(), kAnswerKept)));
        return size * count;
    }
};

std::string HttpTransport::check_url(const std::string& text) {
    const std::unique_ptr<CURLU, Free> url(::curl_url());
    const CURLUcode code = ::curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
    if (code != CURLUE_OK) return ::curl_url_strerror(code);
    const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") return "must begin with http:// or https://";
    if (!part_of(url.get(), CURLUPART_USER).empty() || !part_of(url.get(), CURLUPART_PASSWORD).empty())
        return "has a user or a password in it, which would be shown; use `user` and `password`";
    return "";
}

HttpTransport::HttpTransport(HttpOptions options, std::string name, Logger& logger)
    : options_(std::move(options)),
      name_(std::move(name)),
      description_(without_query(options_.url)),
      logger_(logger),
      compressor_(options_.gzip ? make_gzip_compressor() : nullptr) {}

HttpTransport::~HttpTransport() = default;

// There is no session: a message that is sent again tells whether the server is
// there, or else a connection that is closed again.
Status HttpTransport::open(Clock::time_point deadline) {
    if (!request_)
        if (Status status = create(); !status) return status;
    if (!has_message_) return reach(deadline);
    if (Status status = begin(); !status) return status;
    return perform(deadline);
}

Status HttpTransport::reach(Clock::time_point deadline) {
    ::curl_easy_setopt(request_->easy, CURLOPT_CONNECT_ONLY, 1L);
    Status status = begin();
    if (status) {
        const auto result = run(deadline);
        if (!result)
            status = Error{ErrorCode::kUnavailable, description_ + ": no answer", ""};
        else if (*result != CURLE_OK)
            status = failure(*result);
    }
    request_->stop();
    running_ = false;
    ::curl_easy_setopt(request_->easy, CURLOPT_CONNECT_ONLY, 0L);
    return status;
}

Status HttpTransport::create() {
    begin_library();
    auto made = std::make_unique<Request>();
    made->multi = ::curl_multi_init();
    made->easy = ::curl_easy_init();
    if (!made->multi || !made->easy) return Error{ErrorCode::kInternal, "libcurl: no memory", ""};
    bool good = made->add_header("Expect:");  // no asking before each body
    for (const std::string& header : options_.headers) good = good && made->add_header(header);
    if (!options_.token.empty()) good = good && made->add_header("Authorization: Bearer " + options_.token);
    if (compressor_) good = good && made->add_header("Content-Encoding: gzip");
    CURLcode code = good ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    const auto set = [&](CURLoption option, auto value) {
        if (code == CURLE_OK) code = ::curl_easy_setopt(made->easy, option, value);
    };
    set(CURLOPT_URL, options_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_HTTPHEADER, made->headers);
    set(CURLOPT_ERRORBUFFER, made->error.data());
    set(CURLOPT_WRITEFUNCTION, &Request::on_answer);
    set(CURLOPT_WRITEDATA, made.get());
    set(CURLOPT_CONNECTTIMEOUT_MS, std::min(kConnectTimeout, static_cast<long>(options_.timeout.count())));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_USERAGENT, "nfstreamd");
    if (!options_.user.empty()) {
        set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        set(CURLOPT_USERNAME, options_.user.c_str());
        set(CURLOPT_PASSWORD, options_.password.c_str());
    }
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    if (!options_.certificate_file.empty()) set(CURLOPT_SSLCERT, options_.certificate_file.c_str());
    if (!options_.key_file.empty()) set(CURLOPT_SSLKEY, options_.key_file.c_str());
    if (code != CURLE_OK)
        return Error{ErrorCode::kInvalidArgument, fmt::format("libcurl: {}", ::curl_easy_strerror(code)), ""};
    request_ = std::move(made);
    return ok();
}

Status HttpTransport::publish(const OutgoingMessage& message, Clock::time_point deadline) {
    if (!request_) return Error{ErrorCode::kUnavailable, description_ + " is not open", ""};
    if (has_message_)
        if (Status status = perform(deadline); !status) return status;
    body_ = message.payload;
    if (compressor_) {
        body_.clear();
        Status status = compressor_->begin();
        if (status) status = compressor_->compress(message.payload, Compressor::Then::kEnd, body_);
        if (!status) return status;
    }
    number_ = message.number;
    has_message_ = true;
    if (Status status = begin(); !status) {
        has_message_ = false;
        return status;
    }
    return ok();
}

Status HttpTransport::begin() {
    request_->stop();
    request_->answer.clear();
    request_->error[0] = '\0';
    ::curl_easy_setopt(request_->easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
    ::curl_easy_setopt(request_->easy, CURLOPT_POSTFIELDS, body_.data());  // which stays as long as the request
    const CURLMcode code = ::curl_multi_add_handle(request_->multi, request_->easy);
    if (code != CURLM_OK)
        return Error{ErrorCode::kInternal, fmt::format("libcurl: {}", ::curl_multi_strerror(code)), ""};
    request_->in_multi = running_ = true;
    return ok();
}

// Until the request under way is done: its result, or none by then.
std::optional<int> HttpTransport::run(Clock::time_point deadline) {
    while (true) {
        int active = 0;
        ::curl_multi_perform(request_->multi, &active);
        int left = 0;
        while (const CURLMsg* done = ::curl_multi_info_read(request_->multi, &left))
            if (done->msg == CURLMSG_DONE) return done->data.result;
        const auto time = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (time <= 0ms) return std::nullopt;
        ::curl_multi_poll(request_->multi, nullptr, 0, static_cast<int>(std::min(time, 1000ms).count()), nullptr);
    }
}

Status HttpTransport::perform(Clock::time_point deadline) {
    if (!has_message_) return ok();
    if (!running_) return Error{ErrorCode::kUnavailable, description_ + " is not open", ""};
    const auto result = run(deadline);
    if (!result) return Error{ErrorCode::kBusy, description_ + ": no answer yet", ""};
    return judge(*result);
}

Status HttpTransport::failure(int result) const {
    const char* text =
        request_->error[0] != '\0' ? request_->error.data() : ::curl_easy_strerror(static_cast<CURLcode>(result));
    return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", description_, text), ""};
}

Status HttpTransport::judge(int result) {
    running_ = false;
    request_->stop();
    if (result != CURLE_OK) return failure(result);
    long status = 0;
    ::curl_easy_getinfo(request_->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
        has_message_ = false;
        note(number_, Outcome::kDelivered);
        return ok();
    }
    const bool of_the_message = status >= 400 && status < 500 &&
                                std::find(kServerAtFault.begin(), kServerAtFault.end(), status) == kServerAtFault.end();
    if (of_the_message) {
        give_up(status == kTooLarge ? Outcome::kTooLarge : Outcome::kFailed, status);
        return ok();
    }
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: status {}: {}", description_, status, in_one_line(request_->answer)), ""};
}

void HttpTransport::give_up(Outcome outcome, long status) {
    has_message_ = false;
    note(number_, outcome);
    if (const auto held = refused_log_.admit(); held >= 0)
        logger_.warning("message given up", {{"name", name_},
                                             {"destination", description_},
                                             {"status", status},
                                             {"answer", in_one_line(request_->answer)},
                                             {"suppressed", held}});
}

Status HttpTransport::progress(Clock::time_point) {
    if (!request_) return Error{ErrorCode::kUnavailable, description_ + " is not open", ""};
    Status status = perform(Clock::now());
    return !status && status.error().code == ErrorCode::kBusy ? ok() : std::move(status);
}

Status HttpTransport::settle(Clock::time_point deadline) {
    if (!request_) return Error{ErrorCode::kUnavailable, description_ + " is not open", ""};
    return perform(deadline);
}

void HttpTransport::forget() noexcept {
    if (request_) request_->stop();
    has_message_ = running_ = false;
}

void HttpTransport::close(Clock::time_point deadline) noexcept {
    if (request_ && running_) static_cast<void>(perform(deadline));
    forget();
    request_.reset();
}

}  // namespace nfstreamd::exporters
