// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "core/capture/file_reader.hpp"
#include "core/capture/link_type.hpp"
#include "core/capture/packet_filter.hpp"
#include "core/capture/packet_source.hpp"
#include "core/packet/decode.hpp"

namespace nfstreamd {

namespace {

class FileSource final : public PacketSource {
public:
    FileSource(std::vector<std::string> files, CaptureOptions options, Logger& logger, int vectors_per_poll)
        : files_(std::move(files)),
          options_(std::move(options)),
          logger_(logger),
          vectors_per_poll_(vectors_per_poll) {}

    Status open() override;
    Result<PollOutcome> poll(FrameSink& sink, std::chrono::milliseconds wait) override;
    void wake() noexcept override { wake_.signal(); }
    const CaptureCounters& counters() const noexcept override { return counters_; }
    Description describe() const override;
    Progress progress() const noexcept override;

private:
    Status check(const std::string& name);
    Status start_next();
    Result<bool> start_reader(std::chrono::milliseconds wait);
    Status prepare_filter(int link_type);
    void deliver(FrameSink& sink, std::size_t count);
    void end_file(ReadState why);
    void publish_state(const char* state);
    void publish_progress() noexcept;

    const std::vector<std::string> files_;
    const CaptureOptions options_;
    Logger& logger_;
    const int vectors_per_poll_;
    CaptureCounters counters_;
    WakeEvent wake_;

    std::size_t next_ = 0;  // of files_
    std::unique_ptr<InputStream> stream_;
    std::unique_ptr<FileReader> reader_;  // of stream_; null before its first octets are there
    std::vector<PacketFilter> filters_;   // one per link type met
    const PacketFilter* filter_ = nullptr;
    std::vector<int> warned_link_types_;
    std::array<RawFrame, kFrameVectorSize> frames_;

    std::uint64_t before_ = 0;                       // octets of the files already finished
    std::atomic<std::uint64_t> done_{0}, total_{0};  // relaxed: for a progress bar

    mutable std::mutex description_mutex_;
    Description description_;
};

// Every file is looked at before anything is read, so that a mistyped last name
// is told at once. What can be read only once is checked when its turn comes.
Status FileSource::open() {
    if (files_.empty()) return Error{ErrorCode::kInvalidArgument, "no capture file is given", {}};
    for (const auto& name : files_) {
        if (auto status = check(name); !status) return status;
    }
    publish_state("reading");
    return ok();
}

Status FileSource::check(const std::string& name) {
    if (name == "-") return ok();
    InputStream stream(name);
    if (auto status = stream.open(); !status) return status;
    if (!stream.is_regular()) return ok();
    if (stream.fill_blocking() == InputStream::Fill::kError) {
        return Error{ErrorCode::kIo, "cannot read capture file: " + stream.error_text(), name};
    }
    auto reader = make_file_reader(stream);
    if (!reader) return reader.error();
    total_.fetch_add(stream.size(), std::memory_order_relaxed);
    return prepare_filter(reader.value()->link_type());
}

Status FileSource::prepare_filter(int link_type) {
    filter_ = nullptr;
    if (options_.bpf_filter.empty()) return ok();
    auto found = std::ranges::find(filters_, link_type, &PacketFilter::link_type);
    if (found == filters_.end()) {
        auto filter = PacketFilter::compile(options_.bpf_filter, link_type);
        if (!filter) return filter.error();
        filters_.push_back(std::move(filter.value()));
        found = filters_.end() - 1;
    }
    filter_ = &*found;
    return ok();
}

Status FileSource::start_next() {
    auto stream = std::make_unique<InputStream>(files_[next_]);
    if (auto status = stream->open(); !status) return status;
    ++next_;
    stream_ = std::move(stream);
    counters_.opens.add();
    return ok();
}

// False: a pipe has not sent its first octets yet.
Result<bool> FileSource::start_reader(std::chrono::milliseconds wait) {
    while (stream_->unread().size() < kFileHeaderSize) {
        const auto fill = stream_->fill(wake_, wait);
        if (fill == InputStream::Fill::kWaiting) return false;
        if (fill == InputStream::Fill::kEnd) break;
        if (fill == InputStream::Fill::kError) {
            return Error{ErrorCode::kIo, "cannot read capture file: " + stream_->error_text(), stream_->name()};
        }
    }
    auto reader = make_file_reader(*stream_);
    if (!reader) return reader.error();
    const int link_type = reader.value()->link_type();
    if (auto status = prepare_filter(link_type); !status) return status.error();
    reader_ = std::move(reader.value());
    publish_state("reading");
    if (!is_supported_link_type(link_type) && std::ranges::count(warned_link_types_, link_type) == 0) {
        warned_link_types_.push_back(link_type);
        logger_.warning("link type not supported, its packets are ignored",
                        {{"link_type", link_type_name(link_type)}, {"file", stream_->name()}});
    }
    return true;
}

Result<PollOutcome> FileSource::poll(FrameSink& sink, std::chrono::milliseconds wait) {
    bool delivered = false;
    for (int vectors = 0; vectors < vectors_per_poll_;) {
        const auto patience = delivered ? std::chrono::milliseconds(0) : wait;
        if (!stream_) {
            if (next_ == files_.size()) {
                publish_state("finished");
                return delivered ? PollOutcome::kFrames : PollOutcome::kEnd;
            }
            if (auto status = start_next(); !status) return status.error();
        }
        if (!reader_) {
            auto started = start_reader(patience);
            if (!started) return started.error();
            if (!started.value()) break;
        }
        const auto outcome = reader_->read(frames_, wake_, patience);
        if (outcome.state == ReadState::kWaiting) break;
        if (outcome.state == ReadState::kFrames) {
            deliver(sink, outcome.count);
            delivered = true;
            ++vectors;
        } else {
            end_file(outcome.state);
        }
    }
    publish_progress();
    return delivered ? PollOutcome::kFrames : PollOutcome::kIdle;
}

void FileSource::deliver(FrameSink& sink, std::size_t count) {
    std::size_t kept = count;
    if (filter_ != nullptr) {
        const auto end = std::remove_if(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(count),
                                        [this](const RawFrame& frame) { return !filter_->matches(frame); });
        kept = static_cast<std::size_t>(end - frames_.begin());
        counters_.filtered.add(count - kept);
        if (kept == 0) return;
    }
    std::uint64_t octets = 0, truncated = 0;
    for (std::size_t i = 0; i < kept; i++) {
        octets += frames_[i].wire_length;
        truncated += frames_[i].captured_length < frames_[i].wire_length;
    }
    counters_.frames.add(kept);
    counters_.octets.add(octets);
    counters_.truncated.add(truncated);
    sink.on_frames({{frames_.data(), kept}, reader_->link_type(), options_.checksum});
}

// Of a broken file, what was read counts: it is told, and the next one follows.
void FileSource::end_file(ReadState why) {
    if (why != ReadState::kEnd) {
        const auto& problem = reader_->problem();
        logger_.warning(why == ReadState::kTruncated ? "capture file ends inside a packet" : "capture file is damaged",
                        {{"file", stream_->name()}, {"offset", problem.offset}, {"error", problem.reason}});
        counters_.failures.add();
    }
    before_ += stream_->is_regular() ? stream_->size() : stream_->position();
    reader_.reset();
    stream_.reset();
    publish_progress();
}

void FileSource::publish_progress() noexcept {
    const std::uint64_t done = before_ + (stream_ ? stream_->position() : 0);
    done_.store(done, std::memory_order_relaxed);
}

// A pipe adds to the total as it is read, and a file may grow meanwhile.
PacketSource::Progress FileSource::progress() const noexcept {
    const std::uint64_t done = done_.load(std::memory_order_relaxed);
    return {done, std::max(done, total_.load(std::memory_order_relaxed))};
}

void FileSource::publish_state(const char* state) {
    const std::lock_guard lock(description_mutex_);
    description_.state = state;
    description_.name = stream_ ? stream_->name() : files_[next_ == 0 ? 0 : next_ - 1];
    if (!reader_) return;
    description_.link_type = link_type_name(reader_->link_type());
    description_.timestamp_precision = reader_->nanoseconds() ? "nano" : "micro";
}

PacketSource::Description FileSource::describe() const {
    const std::lock_guard lock(description_mutex_);
    return description_;
}

}  // namespace

std::unique_ptr<PacketSource> make_file_source(std::vector<std::string> files, CaptureOptions options, Logger& logger,
                                               int vectors_per_poll) {
    return std::make_unique<FileSource>(std::move(files), std::move(options), logger, vectors_per_poll);
}

}  // namespace nfstreamd
