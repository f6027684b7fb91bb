// "sign_vote" of theory.json.
#include "runtime/theory/json_numbers.hpp"
#include "runtime/theory/vote_theory.hpp"

namespace orrery {
namespace {

Json snr_of(const sign_vote::SnrTables& s) {
  Json row = {{"s", number(s.s)},
              {"p_least", number(s.p_least)},
              {"p_most", number(s.p_most)},
              {"gamma", number(s.gamma)},
              {"errors",
               {{"majority", number(s.errors.majority)},
                {"weighted", number(s.errors.weighted)},
                {"sqrt_batch", number(s.errors.sqrt_batch)},
                {"unweighted_gradients", number(s.errors.unweighted_gradients)},
                {"weighted_gradients", number(s.errors.weighted_gradients)}}},
              {"bounds",
               {{"majority_hoeffding", number(s.bounds.majority_hoeffding)},
                {"majority_mean_chernoff", number(s.bounds.majority_mean_chernoff)},
                {"majority_chernoff", number(s.bounds.majority_chernoff)},
                {"weighted_bhattacharyya", number(s.bounds.weighted_bhattacharyya)},
                {"weighted_kearns_saul", number(s.bounds.weighted_kearns_saul)}}}};
  if (s.learned)
    row["learned"] = {{"majority", number(s.learned->majority)},
                      {"first", number(s.learned->first)},
                      {"self_consistent", number(s.learned->self_consistent)},
                      {"true_weighted", number(s.learned->true_weighted)}};
  return row;
}

void add_tables(Json& j, const sign_vote::SignVoteTables& t) {
  for (const auto& [workers, batch] : t.groups) j["groups"].push_back({{"workers", workers}, {"batch", batch}});
  j["efficiency"] = number(t.efficiency);
  j["effective_samples"] = {{"weighted_vote", number(t.samples.weighted_vote)},
                            {"majority", number(t.samples.majority)},
                            {"weighted_gradients", number(t.samples.weighted_gradients)},
                            {"unweighted_gradients", number(t.samples.unweighted_gradients)}};
  for (const auto& s : t.snr) j["snr"].push_back(snr_of(s));
}

Json prediction_of(const sign_vote::VotePrediction& p, bool majority) {
  return {{"error", number(p.own)},
          {"majority", number(p.majority)},
          {"weighted", number(p.weighted)},
          {"gamma", number(p.gamma)},
          {"weight_error", number(p.weight_error)},
          {"bounds",
           {{"hoeffding", majority ? number(p.bounds.majority_hoeffding) : Json(nullptr)},
            {"kearns_saul", number(p.kearns_saul)},
            {"chernoff", number(p.chernoff)},
            {"imperfect_weights", number(p.imperfect)},
            {"weighted_at_least", number(p.weighted_at_least)},
            {"majority_hoeffding", number(p.bounds.majority_hoeffding)},
            {"majority_mean_chernoff", number(p.bounds.majority_mean_chernoff)},
            {"majority_kearns_saul", number(p.majority_kearns_saul)},
            {"majority_chernoff", number(p.bounds.majority_chernoff)},
            {"weighted_bhattacharyya", number(p.bounds.weighted_bhattacharyya)},
            {"weighted_kearns_saul", number(p.bounds.weighted_kearns_saul)}}}};
}

Json classes_of(const MeasuredVotes& m) {
  Json j = Json::array();
  size_t k = 0;
  for (const auto& [key, seen] : m.seen.classes) {
    const sign_vote::ClassPrediction& predicted = m.classes[k++];
    double p = 0;
    for (const double x : seen.p()) p += x / static_cast<double>(seen.missed_by.size());
    j.push_back({{"gradient_at_least", number(std::ldexp(1.0, key))},
                 {"share", number(predicted.share)},
                 {"weight", number(seen.weight / static_cast<double>(m.seen.references))},
                 {"mean_p", number(p)},
                 {"decoding_error", number(seen.decoding_error())},
                 {"predicted", number(predicted.own)},
                 {"kearns_saul", number(predicted.kearns_saul)},
                 {"chernoff", number(predicted.chernoff)}});
  }
  return j;
}

Json measured_of(const std::optional<MeasuredVotes>& measured) {
  if (!measured)
    return {{"value", nullptr},
            {"reason", "no vote was looked at: record vote_error, or vote_agreement, where signs are decided"}};
  const MeasuredVotes& m = *measured;
  Json j = {{"phase", m.phase}, {"looks", m.seen.looks}, {"agreement", numbers(m.seen.agreement)}};
  if (m.seen.references > 0) {
    j["decoded_signs"] = m.seen.decoded;
    j["p"] = numbers(m.seen.p);
    j["p_weighted"] = numbers(m.seen.p_weighted);
    j["decoding_error"] = number(m.seen.decoding_error);
    j["vote_error"] = number(m.seen.vote_error);
  }
  if (m.through_tiers)
    j["through_tiers"] = {{"error", number(m.through_tiers)}, {"vote_error", number(m.through_tiers_weighted)}};
  if (!m.of_p) {
    j["reason"] = m.why_no_prediction;
    return j;
  }
  j["weights"] = m.weights;
  j["predicted"] = prediction_of(*m.of_p, m.majority);
  j["predicted_weighted"] = prediction_of(*m.of_weighted, m.majority);
  j["by_class"] = {{"error", number(m.by_class.own)},
                   {"vote_error", number(m.by_class_weighted.own)},
                   {"bounds",
                    {{"hoeffding", m.majority ? number(m.by_class.hoeffding) : Json(nullptr)},
                     {"kearns_saul", number(m.by_class.kearns_saul)},
                     {"chernoff", number(m.by_class.chernoff)}}}};
  j["classes"] = classes_of(m);
  j["exceeded"] = m.exceeded;
  j["bounds_exceeded"] = m.exceeded.size();
  return j;
}

Json convergence_of(const VoteConvergence& v) {
  return {{"norm1_L", constant(v.norm1_L)},
          {"norm1_sigma", constant(v.norm1_sigma)},
          {"gap", constant(v.gap)},
          {"R", number(v.R)},
          {"reasons", v.reasons},
          {"best_step", number(v.best_step)},
          {"best_R", number(v.best_R)},
          {"majority_floor", number(v.majority_floor)},
          {"sqrt_batch_floor", number(v.weighted_floor)},
          {"floor_reasons", v.floor_reasons}};
}

}  // namespace

Json vote_json(const VoteTheory& t) {
  Json j = Json::object();
  if (t.tables)
    add_tables(j, *t.tables);
  else
    j["reason"] = "no tables: " + t.why_no_tables;
  j["convergence"] = convergence_of(t.convergence);
  j["measured"] = measured_of(t.measured);
  return j;
}

}  // namespace orrery
