# %% [markdown]
# # A data frame, and interventions by name
#
# A trial with 600 patients. Columns have names, so that nobody writes a mask. Half of the patients were treated with a drug that
# brings blood pressure to 1.2, whatever it was before; the blood pressure on record is the one from before. All numbers are in standard
# deviations from the mean.

# %%
import numpy as np
import pandas as pd

from causal_engine import CausalMLP, CausalMLPRegressor, DAGRewiring

FEATURES = ["dose", "blood pressure", "age"]
random = np.random.default_rng(0)


def trial(patients: int) -> pd.DataFrame:
    age = random.normal(size=patients)
    dose = 0.5 * age + random.normal(size=patients)
    pressure = 0.8 * age - 0.4 * dose + random.normal(size=patients)
    treated = random.random(patients) < 0.5
    acting = np.where(treated, 1.2, pressure)
    recovery = dose - 2 * acting - 0.5 * age + 0.1 * random.normal(size=patients)
    index = pd.Index([f"patient {k}" for k in range(patients)])
    return pd.DataFrame({"age": age, "blood pressure": pressure, "dose": dose, "treated": treated, "recovery": recovery}, index=index)


df, test = trial(600), trial(200)
print(df.round(2).head(3))

# %% [markdown]
# ## The graph behind it
# do(blood pressure) cuts the edges into it. Age and dose still act on recovery, along every other path.

# %%
graph = DAGRewiring.from_dot("""digraph {
    age -> {dose "blood pressure" recovery}
    dose -> {"blood pressure" recovery}
    "blood pressure" -> recovery
}""")
print("causes of blood pressure:", [graph.names[k] for k in graph.get_parents("blood pressure")])
graph.apply_intervention_to_dag(pd.Series({"blood pressure": 1, "age": 0, "dose": 0, "recovery": 0}))
causes_when_set = graph.get_parents("blood pressure")
print("and when it is set:", causes_when_set)
graph_axes = graph.plot()

# %% [markdown]
# ## A model of the patients who were not treated
# y is a column's name; the features are found by theirs, in whatever order the columns stand. `history` draws itself.

# %%
untreated = df[~df.treated]
model = CausalMLP(3, [16], 1, seed=0, feature_names=FEATURES)
history = model.fit(untreated, "recovery", epochs=60, validation_data=test[~test.treated], progress=False)
print(history)
history_axes = history.plot()

# %% [markdown]
# ## What if we treat?
# `where` tells which rows are set: here those that were. The answer is a data frame with the same patients. Of the treated the model has
# seen none.

# %%
answer = model.do({"blood pressure": 1.2}, where=test.treated)(test)
told_error, blind_error = ((predicted.recovery - test.recovery).abs().mean() for predicted in (answer, model(test)))
print(answer.round(2).head(3))
print(f"mean error of recovery: {told_error:.2f} under do(), {blind_error:.2f} with blood pressure as recorded")

# %% [markdown]
# A name that does not exist is an error that shows near ones.

# %%
try:
    model.do({"blood_pressure": 1.2})
except KeyError as error:
    print(error)

# %% [markdown]
# ## In scikit-learn
# The estimators learn from treated patients too: `interventions` names what was set, in which rows, and to what. They take columns in
# their own units and standardise inside.

# %%
estimator = CausalMLPRegressor(hidden_dims=[16], random_state=0)
estimator.fit(df[FEATURES], df.recovery, interventions={"blood pressure": (df.treated, 1.2)})
under = {"blood pressure": (test.treated, 1.2)}
score, blind_score = estimator.score(test[FEATURES], test.recovery, interventions=under), estimator.score(test[FEATURES], test.recovery)
print(f"R2 on new patients: {score:.3f} when told who was treated, {blind_score:.3f} when not")

effect = (estimator.do({"blood pressure": 1.0})(test[FEATURES]) - estimator.do({"blood pressure": 0.0})(test[FEATURES])).mean()
print(f"effect of a unit of blood pressure on recovery: {effect:.2f} (truth: -2)")
