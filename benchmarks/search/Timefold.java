// Timefold's assignment recommendations on the case in args[0]: one visit without a time, every
// clinician and start as a value, what is taken as facts, one constraint. Prints JSON.

import ai.timefold.solver.core.api.domain.entity.PlanningEntity;
import ai.timefold.solver.core.api.domain.lookup.PlanningId;
import ai.timefold.solver.core.api.domain.solution.PlanningEntityCollectionProperty;
import ai.timefold.solver.core.api.domain.solution.PlanningScore;
import ai.timefold.solver.core.api.domain.solution.PlanningSolution;
import ai.timefold.solver.core.api.domain.solution.ProblemFactCollectionProperty;
import ai.timefold.solver.core.api.domain.valuerange.ValueRangeProvider;
import ai.timefold.solver.core.api.domain.variable.PlanningVariable;
import ai.timefold.solver.core.api.score.buildin.hardsoft.HardSoftScore;
import ai.timefold.solver.core.api.score.stream.Constraint;
import ai.timefold.solver.core.api.score.stream.ConstraintFactory;
import ai.timefold.solver.core.api.score.stream.ConstraintProvider;
import ai.timefold.solver.core.api.score.stream.Joiners;
import ai.timefold.solver.core.api.solver.ScoreAnalysisFetchPolicy;
import ai.timefold.solver.core.api.solver.SolutionManager;
import ai.timefold.solver.core.api.solver.SolverFactory;
import ai.timefold.solver.core.config.solver.SolverConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

public class Timefold {
    public record Choice(long clinician, long start, long end) {}

    public record Busy(long clinician, long start, long end) {}

    @PlanningEntity
    public static class Visit {
        @PlanningId public String id;
        @PlanningVariable public Choice choice;

        public Visit() {}

        public Visit(String id) {
            this.id = id;
        }

        public Choice getChoice() {
            return choice;
        }

        public long clinician() {
            return choice.clinician();
        }

        public long start() {
            return choice.start();
        }

        public long end() {
            return choice.end();
        }
    }

    @PlanningSolution
    public static class Plan {
        @ValueRangeProvider @ProblemFactCollectionProperty public List<Choice> choices = new ArrayList<>();
        @ProblemFactCollectionProperty public List<Busy> busy = new ArrayList<>();
        @PlanningEntityCollectionProperty public List<Visit> visits = new ArrayList<>();
        @PlanningScore public HardSoftScore score;
    }

    public static class Rules implements ConstraintProvider {
        @Override
        public Constraint[] defineConstraints(ConstraintFactory factory) {
            return new Constraint[] {
                factory.forEach(Visit.class)
                        .join(
                                Busy.class,
                                Joiners.equal(Visit::clinician, Busy::clinician),
                                Joiners.overlapping(Visit::start, Visit::end, Busy::start, Busy::end))
                        .penalize(HardSoftScore.ONE_HARD)
                        .asConstraint("taken")
            };
        }
    }

    public static void main(String[] args) throws Exception {
        Plan plan = new Plan();
        long rounds = 1;
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            String[] part = line.split(" ");
            if (part[0].equals("rounds")) {
                rounds = Long.parseLong(part[1]);
                continue;
            }
            long who = Long.parseLong(part[1]), from = Long.parseLong(part[2]), to = Long.parseLong(part[3]);
            if (part[0].equals("choice")) plan.choices.add(new Choice(who, from, to));
            else plan.busy.add(new Busy(who, from, to));
        }
        Visit visit = new Visit("new");
        plan.visits.add(visit);
        SolutionManager<Plan, HardSoftScore> manager =
                SolutionManager.create(
                        SolverFactory.<Plan>create(
                                new SolverConfig()
                                        .withSolutionClass(Plan.class)
                                        .withEntityClasses(Visit.class)
                                        .withConstraintProviderClass(Rules.class)));
        TreeSet<Long> starts = new TreeSet<>();
        StringBuilder times = new StringBuilder();
        for (long round = 0; round < rounds; round++) {
            long begin = System.nanoTime();
            var found =
                    manager.recommendAssignment(
                            plan, visit, Visit::getChoice, ScoreAnalysisFetchPolicy.FETCH_SHALLOW);
            starts.clear();
            for (var one : found)
                if (one.scoreAnalysisDiff().score().hardScore() == 0) starts.add(one.proposition().start());
            times.append(round == 0 ? "" : ", ").append((System.nanoTime() - begin) / 1e3);
        }
        System.out.println("{\"starts\": " + starts + ", \"us\": [" + times + "]}");
    }
}
