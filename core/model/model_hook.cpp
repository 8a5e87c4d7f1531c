// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_hook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "core/record/declared_fields.hpp"

namespace nfstreamd {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint32_t kSlotBits = 10;  // slots of as many flows are made at once

}  // namespace

ModelHook::ModelHook(const ModelOptions& options, Parts parts, std::string meter,
                     std::shared_ptr<ModelCounters> counters, Logger& logger)
    : after_packets_(options.after_packets),
      name_(options.name),
      meter_(std::move(meter)),
      budget_(options.time_budget),
      classes_(std::move(parts.classes)),
      fields_(parts.fields),
      counters_(std::move(counters)),
      logger_(logger) {
    const auto scorer = [](const char* role, auto model, auto predictor) {
        const std::size_t numbers = kBatch * model->features.size();
        return Scorer{.role = role,
                      .model = std::move(model),
                      .predictor = std::move(predictor),
                      .rows = std::vector<float>(numbers),
                      .scores = std::vector<Score>(kBatch)};
    };
    model_ = scorer("model", std::move(parts.model), std::move(parts.predictor));
    if (parts.shadow != nullptr) shadow_ = scorer("shadow", std::move(parts.shadow), std::move(parts.shadow_predictor));
    waiting_.reserve(kBatch);
    counters_->instances.fetch_add(1);
}

ModelHook::~ModelHook() {
    counters_->instances.fetch_sub(1);
    if (model_.disabled) counters_->disabled.fetch_sub(1);
    if (shadow_ && shadow_->disabled) counters_->shadows_disabled.fetch_sub(1);
}

// ---- flows ----

ModelHook::Slot& ModelHook::slot(std::uint32_t handle) noexcept {
    const std::size_t chunk = handle >> kSlotBits;
    if (chunk >= slots_.size()) [[unlikely]]
        slots_.resize(chunk + 1);
    if (slots_[chunk] == nullptr) [[unlikely]]
        slots_[chunk] = std::make_unique<Slot[]>(std::size_t{1} << kSlotBits);
    return slots_[chunk][handle & ((1u << kSlotBits) - 1)];
}

std::int32_t ModelHook::on_begin(const FlowView& flow, const Packet&) noexcept {
    if (after_packets_ == 0) return 0;
    slot(flow.handle) = {};
    if (after_packets_ == 1) take_early(flow);
    return 0;
}

std::int32_t ModelHook::on_packet(const FlowView& flow, const Packet&, int) noexcept {
    if (after_packets_ != 0 && flow.packets() == after_packets_) take_early(flow);
    return 0;
}

void ModelHook::take_early(const FlowView& flow) noexcept {
    if (model_.disabled) return;
    const FlowRecord& seen = flow.record();
    Slot& own = slot(flow.handle);
    own.state = Slot::State::kWaits;
    own.place = static_cast<std::uint8_t>(waiting_.size());
    wait(seen, {nullptr, flow.handle, true});
}

void ModelHook::describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    if (after_packets_ == 0) return;
    Slot& own = slot(handle);
    if (own.state == Slot::State::kWaits) score();
    if (own.state == Slot::State::kScored) add(own.score, record, arena);
}

void ModelHook::on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    if (after_packets_ != 0) {
        Slot& own = slot(handle);
        if (own.state == Slot::State::kScored) return add(own.score, record, arena);
        if (own.state == Slot::State::kWaits) {
            waiting_[own.place].record = &record;
            waiting_[own.place].handle = kNoFlow;  // which may be another flow's by then
            arena_ = &arena;
            return;
        }
    }
    if (model_.disabled) {
        counters_->unscored.fetch_add(1);
        return;
    }
    arena_ = &arena;
    wait(record, {&record, kNoFlow});
}

void ModelHook::complete() noexcept {
    if (!waiting_.empty()) score();
    arena_ = nullptr;
}

void ModelHook::on_discard(std::uint32_t handle) noexcept {
    if (after_packets_ == 0) return;
    Slot& own = slot(handle);
    if (own.state == Slot::State::kWaits) waiting_[own.place].handle = kNoFlow;
}

// ---- scores ----

void ModelHook::wait(const FlowRecord& seen, Waiting flow) noexcept {
    const std::size_t i = waiting_.size();
    model_.model->features.read(seen, model_.row(i));
    if (shadow_ && !shadow_->disabled) shadow_->model->features.read(seen, shadow_->row(i));
    waiting_.push_back(flow);
    if (waiting_.size() == kBatch) score();
}

void ModelHook::score() noexcept {
    const std::size_t count = waiting_.size();
    const bool scored = run(model_, count);
    std::uint64_t early = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto [record, handle, is_early] = waiting_[i];
        early += is_early;
        if (handle != kNoFlow) {
            Slot& own = slot(handle);
            own.state = scored ? Slot::State::kScored : Slot::State::kNone;
            own.score = model_.scores[i];
        }
        if (scored && record != nullptr) add(model_.scores[i], *record, *arena_);
    }
    if (scored) {
        counters_->scored.fetch_add(count);
        counters_->early.fetch_add(early);
        if (shadow_ && run(*shadow_, count)) compare(count);
    } else {
        // flows that go on are counted when they end
        counters_->unscored.fetch_add(static_cast<std::uint64_t>(
            std::count_if(waiting_.begin(), waiting_.end(), [](const Waiting& one) { return one.record != nullptr; })));
    }
    waiting_.clear();
}

bool ModelHook::run(Scorer& scorer, std::size_t count) noexcept {
    if (scorer.disabled) return false;
    const auto begin = Steady::now();
    const auto outputs = scorer.predictor->predict(scorer.rows.data(), count);
    if (!outputs) {
        counters_->errors.fetch_add(1);
        disable(scorer, outputs.error().message);
        return false;
    }
    scorer.outputs = outputs.value();
    for (std::size_t i = 0; i < count; ++i) scorer.scores[i] = score_of(scorer.model->file, outputs_of(scorer, i));
    note_time(scorer, count, Steady::now() - begin);
    return true;
}

std::span<const float> ModelHook::outputs_of(const Scorer& scorer, std::size_t i) noexcept {
    const std::size_t each = scorer.model->file.outputs;
    return scorer.outputs.subspan(i * each, each);
}

// As XGBoost's own predict() and predict_proba() have it: of equal ones the first class.
ModelHook::Score ModelHook::score_of(const ModelFile& file, std::span<const float> outputs) noexcept {
    switch (file.kind) {
        case ModelFile::Kind::kNumber:
            return {0, outputs[0]};
        case ModelFile::Kind::kBinary:
            return outputs[0] > 0.5f ? Score{1, outputs[0]} : Score{0, 1 - outputs[0]};
        case ModelFile::Kind::kMulticlass:
            break;
    }
    const auto best = std::max_element(outputs.begin(), outputs.end()) - outputs.begin();
    const auto number = static_cast<std::uint32_t>(best);
    return {number, probability_of(number, file, outputs)};
}

float ModelHook::probability_of(std::uint32_t class_number, const ModelFile& file,
                                std::span<const float> outputs) noexcept {
    if (file.kind == ModelFile::Kind::kBinary) return class_number == 1 ? outputs[0] : 1 - outputs[0];
    if (!file.gives_margins) return outputs[class_number];
    const float most = *std::max_element(outputs.begin(), outputs.end());
    float sum = 0;
    for (const float margin : outputs) sum += std::exp(margin - most);
    return std::exp(outputs[class_number] - most) / sum;
}

// Two classifiers agree on the class, and differ by their probabilities of the model's;
// two numbers agree when they are within a twentieth of the larger.
void ModelHook::compare(std::size_t count) noexcept {
    const bool is_number = model_.model->file.kind == ModelFile::Kind::kNumber;
    std::uint64_t agreed = 0;
    double difference = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Score &ours = model_.scores[i], &theirs = shadow_->scores[i];
        const double other = is_number
                                 ? theirs.number
                                 : probability_of(ours.class_number, shadow_->model->file, outputs_of(*shadow_, i));
        const double apart = std::abs(ours.number - other);
        const double larger = std::max(std::abs(ours.number), std::abs(theirs.number));
        agreed += is_number ? apart <= larger / 20 : ours.class_number == theirs.class_number;
        if (std::isfinite(apart)) difference += apart;
    }
    counters_->agreed.fetch_add(agreed);
    counters_->difference.fetch_add(difference);
    counters_->compared.fetch_add(count);
}

void ModelHook::note_time(Scorer& scorer, std::size_t count, Steady::duration taken) noexcept {
    if (!budget_) return;
    if (taken > *budget_ * static_cast<std::int64_t>(std::max<std::size_t>(count, kFewest))) {
        ++scorer.slow;
        counters_->slow_calls.fetch_add(1);
    }
    if (++scorer.measured < kMeasuredBatches) return;
    if (scorer.slow > kMeasuredBatches / 2)
        disable(scorer, fmt::format("{} of {} batches took more than {} us for each flow", scorer.slow,
                                    kMeasuredBatches, budget_->count()));
    scorer.measured = scorer.slow = 0;
}

void ModelHook::disable(Scorer& scorer, std::string reason) noexcept {
    scorer.disabled = true;
    (&scorer == &model_ ? counters_->disabled : counters_->shadows_disabled).fetch_add(1);
    logger_.error("model disabled until it is configured anew or the daemon is started again",
                  {{"model", name_},
                   {"role", scorer.role},
                   {"meter", meter_},
                   {"file", scorer.model->file.path},
                   {"reason", reason}});
    counters_->set_reason(fmt::format("{}: {}", scorer.model->file.path, reason));
}

void ModelHook::add(const Score& score, FlowRecord& record, Arena& arena) const noexcept {
    const std::size_t before = record.declared.size();
    const auto all = arena.array<DeclaredValue>(before + (fields_.value != nullptr ? 1 : 2));
    auto* to = std::uninitialized_copy(record.declared.begin(), record.declared.end(), all.data());
    if (fields_.value != nullptr) {
        new (to) DeclaredValue{fields_.value->value.declared, double{score.number}};
    } else {
        new (to) DeclaredValue{fields_.class_name->value.declared, arena.copy((*classes_)[score.class_number])};
        new (to + 1) DeclaredValue{fields_.probability->value.declared, double{score.number}};
    }
    record.declared = all;
}

}  // namespace nfstreamd
