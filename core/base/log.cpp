// SPDX-License-Identifier: Apache-2.0
#include "core/base/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/json_text.hpp"

namespace nfstreamd {
namespace {

constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
constexpr int kPriorities[] = {7, 6, 4, 3};  // syslog(3)

std::string timestamp() {
    const auto now = std::chrono::system_clock::now();
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

bool is_plain(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](unsigned char c) {
        return c > ' ' && c != '"' && c != '=' && c != '\\' && c < 0x7f;
    });
}

void append_pair(std::string& line, const LogField& field) {
    line += ' ';
    line += field.key;
    line += '=';
    if (is_plain(field.value))
        line += field.value;
    else
        append_json_string(line, field.value);
}

}  // namespace

void Logger::configure(LogLevel level, LogFormat format) {
    level_ = level;
    format_ = format;
}

void Logger::debug(std::string_view event, std::initializer_list<LogField> fields) {
    write(LogLevel::kDebug, event, fields);
}
void Logger::info(std::string_view event, std::initializer_list<LogField> fields) {
    write(LogLevel::kInfo, event, fields);
}
void Logger::warning(std::string_view event, std::initializer_list<LogField> fields) {
    write(LogLevel::kWarning, event, fields);
}
void Logger::error(std::string_view event, std::initializer_list<LogField> fields) {
    write(LogLevel::kError, event, fields);
}

void Logger::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (level < level_.load()) return;
    const auto index = static_cast<std::size_t>(level);
    std::string line;
    switch (format_.load()) {
        case LogFormat::kJournalJson:
            line = fmt::format("<{}>", kPriorities[index]);
            [[fallthrough]];
        case LogFormat::kJson:
            line += fmt::format(R"({{"time":"{}","level":"{}","event":)", timestamp(), kNames[index]);
            append_json_string(line, event);
            for (const auto& field : fields) {
                line += ',';
                append_json_string(line, field.key);
                line += ':';
                append_json_string(line, field.value);
            }
            line += '}';
            break;
        case LogFormat::kJournal:
            line = fmt::format("<{}>{}", kPriorities[index], event);
            for (const auto& field : fields) append_pair(line, field);
            break;
        case LogFormat::kText:
            line = fmt::format("{} {}: {}", timestamp(), kNames[index], event);
            for (const auto& field : fields) append_pair(line, field);
            break;
    }
    line += '\n';
    // one write(2) per line, so that lines of different threads do not mix
    [[maybe_unused]] const auto written = ::write(descriptor_, line.data(), line.size());
}

std::int64_t RateLimit::admit(std::chrono::steady_clock::time_point now) {
    if (now < next_) {
        ++suppressed_;
        return -1;
    }
    next_ = now + period_;
    return std::exchange(suppressed_, 0);
}

}  // namespace nfstreamd
