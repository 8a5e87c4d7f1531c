// SPDX-License-Identifier: Apache-2.0
// A model in one metering process. Flows that end, or have had their packets, are
// put off until a batch is full or leaves, and scored together; then a shadow
// scores them too, if there is one. One that fails or is too slow is disabled:
// flows go on without it. Made by the control thread, then the metering thread's alone.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/metering/flow_hook.hpp"
#include "core/model/flow_model.hpp"
#include "core/model/predictor.hpp"

namespace nfstreamd {

class ModelHook final : public FlowHook {
public:
    // Flows that are scored together: as many as the library takes through a tree at a time.
    static constexpr std::size_t kBatch = 64;
    // More than half of as many batches over the time budget disable a model. One of
    // fewer flows than kFewest has the budget of as many, as a call takes some time for itself.
    static constexpr std::uint32_t kMeasuredBatches = 32, kFewest = 8;

    struct Parts {
        std::shared_ptr<const LoadedModel> model, shadow;
        std::unique_ptr<Predictor> predictor, shadow_predictor;
        std::shared_ptr<const std::vector<std::string>> classes;
        ModelFields fields;
    };
    ModelHook(const ModelOptions& options, Parts parts, std::string meter, std::shared_ptr<ModelCounters> counters,
              Logger& logger);
    ~ModelHook() override;

    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept override;
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept override;
    void describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void complete() noexcept override;
    void on_discard(std::uint32_t handle) noexcept override;

private:
    struct Score {
        std::uint32_t class_number;
        float number;  // probability of that class, or the value
    };
    // One of the two models, and the rows that wait for it.
    struct Scorer {
        const char* role;
        std::shared_ptr<const LoadedModel> model;
        std::unique_ptr<Predictor> predictor;
        std::vector<float> rows;
        std::vector<Score> scores;  // of the last batch
        std::span<const float> outputs{};
        bool disabled = false;
        std::uint32_t measured = 0, slow = 0;

        std::span<float> row(std::size_t i) {
            const std::size_t size = model->features.size();
            return {rows.data() + i * size, size};
        }
    };
    // What a flow has that is scored before its end.
    struct Slot {
        enum class State : std::uint8_t { kNone, kWaits, kScored };
        State state = State::kNone;
        std::uint8_t place = 0;  // in waiting_
        Score score{};
    };
    static constexpr std::uint32_t kNoFlow = 0xFFFFFFFF;
    struct Waiting {  // for the next batch: a record, a flow, or neither when it has been discarded
        FlowRecord* record;
        std::uint32_t handle;
        bool early = false;
    };

    Slot& slot(std::uint32_t handle) noexcept;
    void take_early(const FlowView& flow) noexcept;
    void wait(const FlowRecord& seen, Waiting flow) noexcept;
    void score() noexcept;
    bool run(Scorer& scorer, std::size_t count) noexcept;
    static std::span<const float> outputs_of(const Scorer& scorer, std::size_t i) noexcept;
    static Score score_of(const ModelFile& file, std::span<const float> outputs) noexcept;
    static float probability_of(std::uint32_t class_number, const ModelFile& file,
                                std::span<const float> outputs) noexcept;
    void compare(std::size_t count) noexcept;
    void note_time(Scorer& scorer, std::size_t count, std::chrono::steady_clock::duration taken) noexcept;
    void disable(Scorer& scorer, std::string reason) noexcept;
    void add(const Score& score, FlowRecord& record, Arena& arena) const noexcept;

    const std::uint32_t after_packets_;
    const std::string name_, meter_;
    const std::optional<std::chrono::microseconds> budget_;
    const std::shared_ptr<const std::vector<std::string>> classes_;
    const ModelFields fields_;
    const std::shared_ptr<ModelCounters> counters_;
    Logger& logger_;
    Scorer model_;
    std::optional<Scorer> shadow_;
    std::vector<Waiting> waiting_;
    Arena* arena_ = nullptr;  // of the records that wait
    std::vector<std::unique_ptr<Slot[]>> slots_;
};

}  // namespace nfstreamd
