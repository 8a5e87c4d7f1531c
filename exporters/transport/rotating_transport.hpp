// SPDX-License-Identifier: Apache-2.0
// Messages to a file that is finished and begun anew by number, size or time.
// What is written has the path itself; a piece gets its own name, by an atomic
// rename, when it is complete. A piece without messages is never left behind.
// Belongs to the thread of its exporter.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "exporters/transport/file_transport.hpp"
#include "exporters/transport/pieces.hpp"

namespace nfstreamd::exporters {

struct RotationLimits {  // 0: none
    std::uint64_t messages = 0;
    std::uint64_t size = 0;              // octets of the file
    std::chrono::milliseconds every{0};  // ends at multiples of it since 1970
};

class RotatingTransport final : public Transport {
public:
    using Clock = std::function<Pieces::Time()>;

    // `append`: what an earlier run left at the path goes on. If not, or if it
    // cannot (other columns, compressed, of another interval), it becomes a piece;
    // but without `append` indexed pieces begin again at 0, and it is emptied.
    RotatingTransport(std::string path, bool append, RotationLimits limits, Pieces pieces, Logger& logger,
                      Clock clock = std::chrono::system_clock::now);
    ~RotatingTransport() override;

    Status open(std::string_view preamble) override;
    Status send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) override;
    Status flush() override;
    void close() noexcept override;

    std::size_t held() const noexcept override { return file_.held(); }
    std::uint64_t octets() const noexcept override { return file_.octets(); }
    std::string description() const override { return path_; }

private:
    using Interval = std::int64_t;  // count of `every` since 1970

    Status take_over();
    bool can_go_on(Pieces::Time written) const;
    Status finish_piece();
    Status put_away(Pieces::Time finished);
    bool has_messages() const noexcept { return file_.messages() > 0; }
    bool is_full() const noexcept;
    bool is_due();
    bool has_room_for(std::size_t octets) const noexcept;
    std::size_t count_that_fit(std::span<const std::size_t> ends, std::size_t begin) const noexcept;
    Interval interval(Pieces::Time time) const noexcept;
    Pieces::Time end_of_piece(Pieces::Time now) const noexcept;
    void warn(const Error& error) noexcept;

    const std::string path_;
    const bool append_, compressed_;
    const RotationLimits limits_;
    Pieces pieces_;
    Logger& logger_;
    const Clock clock_;
    FileTransport file_;
    std::string preamble_;
    std::vector<std::size_t> ends_;  // of a part of the messages of send()
    bool taken_over_ = false;
    bool nameless_ = false;  // the file is complete and closed, and must be renamed
    Interval interval_ = 0;  // of the piece
    RateLimit log_;
};

}  // namespace nfstreamd::exporters
