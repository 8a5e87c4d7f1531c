// SPDX-License-Identifier: Apache-2.0
// Messages as bodies of POST requests by libcurl, one after the other over a
// connection that stays. 2xx: delivered. A status that says the message is wrong:
// given up, the server's words are logged. Anything else: the server is at fault,
// and the message is kept and sent again. Belongs to the thread of its exporter.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "exporters/transport/compressor.hpp"
#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

struct HttpOptions {
    std::string url;
    std::vector<std::string> headers;  // "Name: value"
    std::string user, password, token;
    std::string ca_file, certificate_file, key_file;               // ca_file empty: the system's authorities
    std::chrono::milliseconds timeout = std::chrono::seconds(30);  // of a request and its answer
    bool gzip = false;
};

class HttpTransport final : public Publisher {
public:
    // What is wrong with a URL; empty: nothing.
    static std::string check_url(const std::string& url);

    // `logger` outlives it; `name` is the exporter's, for the log.
    HttpTransport(HttpOptions options, std::string name, Logger& logger);
    ~HttpTransport() override;

    Status open(Clock::time_point deadline) override;
    Status publish(const OutgoingMessage& message, Clock::time_point deadline) override;
    Status progress(Clock::time_point deadline) override;
    Status settle(Clock::time_point deadline) override;
    void forget() noexcept override;
    void close(Clock::time_point deadline) noexcept override;
    std::string description() const override { return description_; }

private:
    struct Request;  // libcurl's

    Status create();
    Status begin();
    Status reach(Clock::time_point deadline);
    std::optional<int> run(Clock::time_point deadline);
    Status perform(Clock::time_point deadline);
    Status failure(int result) const;
    Status judge(int result);
    void give_up(Outcome outcome, long status);

    const HttpOptions options_;
    const std::string name_, description_;
    Logger& logger_;
    const std::unique_ptr<Compressor> compressor_;
    std::unique_ptr<Request> request_;
    bool has_message_ = false, running_ = false;
    std::uint64_t number_ = 0;  // of the message
    std::string body_;          // as it is sent
    RateLimit refused_log_;
};

}  // namespace nfstreamd::exporters
