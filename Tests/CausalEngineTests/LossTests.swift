import CausalEngine
import CausalKernels
import Testing

@Suite struct LossTests {
    private func check(_ loss: Loss, _ arguments: Loss.Arguments<Double>, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let found = try loss.evaluate(arguments)
        func compare(_ matrix: Matrix<Double>?, _ gradient: Matrix<Double>?, _ change: (Matrix<Double>) -> Loss.Arguments<Double>) throws {
            guard let matrix, let gradient else { return }
            for i in matrix.elements.indices {
                let numeric = try centralDifference(at: matrix.elements[i]) { try loss.evaluate(change(matrix.setting(i, to: $0))).value }
                #expect(relativeError(gradient.elements[i], numeric) <= 1e-6, "entry \(i)", sourceLocation: sourceLocation)
            }
        }
        try compare(arguments.prediction, found.gradients.prediction) { var a = arguments; a.prediction = $0; return a }
        try compare(arguments.counterfactualPrediction, found.gradients.counterfactualPrediction) { var a = arguments; a.counterfactualPrediction = $0; return a }
        if let model = arguments.model, let gradient = found.gradients.parameters {
            let start = model.parameters!.values
            for i in start.indices {
                let numeric = try centralDifference(at: start[i]) {
                    var changed = start
                    changed[i] = $0
                    try model.parameters!.set(changed)
                    return try loss.evaluate(arguments).value
                }
                #expect(relativeError(gradient[i], numeric) <= 1e-6, "parameter \(i)", sourceLocation: sourceLocation)
            }
            try model.parameters!.set(start)
        }
    }

    private func arguments(_ measure: Loss.Measure, _ random: inout TestRandom) throws -> Loss.Arguments<Double> {
        let target = measure == .crossEntropy ? try Matrix<Double>([[2], [0], [1], [1]]) : try random.matrix(4, 3)
        return try Loss.Arguments(prediction: random.matrix(4, 3), target: target)
    }

    @Test(arguments: Loss.Measure.allCases) func standard(_ measure: Loss.Measure) throws {
        var random = TestRandom(1)
        try check(.standard(measure), arguments(measure, &random))
    }

    @Test(arguments: Loss.Measure.allCases, [[1, 3], [4, 3], [4, 1], [1, 1]]) func intervention(_ measure: Loss.Measure, _ shape: [Int]) throws {
        var random = TestRandom(2)
        var arguments = try arguments(measure, &random)
        arguments.mask = random.mask(shape[0], shape[1])
        try check(.intervention(measure), arguments)
    }

    @Test func interventionValues() throws {
        // A (2, 3) mask against (2, 1) losses broadcasts to (2, 3) in both sums.
        let value = try Loss.intervention(.mse).evaluate(Loss.Arguments<Double>(
            prediction: [[1], [2]], target: [[0], [0]], mask: [[true, false, false], [true, true, false]])).value
        #expect(abs(value - (2 * 1 + 1 * 4) / 3.0) < 1e-15)
        // Everything set: 0, not 0 / 0. What is masked may be missing.
        #expect(try Loss.intervention(.mse).evaluate(Loss.Arguments<Double>(prediction: [[1, 2]], target: [[.nan, .nan]], mask: [[true, true]])).value == 0)
        let partly = try Loss.intervention(.mse).evaluate(Loss.Arguments<Double>(prediction: [[1, .nan]], target: [[3, .nan]], mask: [[false, true]]))
        #expect(partly.value == 4)
        #expect(partly.gradients.prediction == [[-4, 0]])
    }

    /// More mask elements than a Float can count one by one: 2^24 + 6 of column 0 and 2^23 of column 1 are left alone.
    @Test func masksOfManyRowsAreCounted() throws {
        let rows = 1 << 24 + 6, mask = try Storage<UInt8>(count: 2 * rows, of: "mask"), numbers = try Storage<Float>(count: 4, of: "numbers")
        for row in 1 << 23..<rows { mask.pointer[2 * row + 1] = 1 }
        numbers.pointer[0] = 1
        let prediction = MatrixView(UnsafePointer(numbers.pointer), rows: 1, columns: 2)
        var arguments = LossArguments(prediction: prediction, target: MatrixView(UnsafePointer(numbers.pointer + 2), rows: 1, columns: 2)), scratch: [Float] = []
        arguments.mask = MatrixView(UnsafePointer(mask.pointer), rows: rows, columns: 2)
        let value = try Loss.intervention(.mse).evaluate(arguments, into: LossGradientTargets(), scratch: &scratch)
        #expect(value == Double(rows) / Double(rows + 1 << 23))
    }

    @Test func others() throws {
        var random = TestRandom(3)
        let pair = try Loss.Arguments(prediction: random.matrix(4, 2), target: random.matrix(4, 2), mask: random.mask(1, 2), values: random.matrix(4, 2),
                                      counterfactualPrediction: random.matrix(4, 2), counterfactualTarget: random.matrix(4, 2),
                                      model: Model<Double>(.mlp(inputs: 2, hidden: [3], outputs: 1), seed: 0))
        try check(.counterfactual, pair)
        try check(.consistency, pair)
        try check(.regularization(0.3), pair)
        let total = try Loss.sum([(0.7, .intervention(.mse)), (0.5, .counterfactual), (2, .regularization(0.1)), (1.5, .consistency)])
        try check(total, pair)
        let parts = try 0.7 * Loss.intervention(.mse).evaluate(pair).value + 0.5 * Loss.counterfactual.evaluate(pair).value
            + 2 * Loss.regularization(0.1).evaluate(pair).value + 1.5 * Loss.consistency.evaluate(pair).value
        #expect(try abs(total.evaluate(pair).value - parts) < 1e-14)
        // Without counterfactual arguments that term does not count.
        var factual = pair
        factual.counterfactualTarget = nil
        #expect(try Loss.sum([(1, .standard(.mse)), (9, .counterfactual)]).evaluate(factual).value == Loss.standard(.mse).evaluate(factual).value)
    }

    /// Sums of sums are multiplied out, so that neither depth nor repetition costs anything.
    @Test func sumsOfSums() throws {
        let arguments = try Loss.Arguments<Double>(prediction: [[1, 2]], target: [[0, 5]], mask: [[true, false]], values: [[0.5, 0]],
                                                   model: Model<Double>(.mlp(inputs: 2, hidden: [3], outputs: 1), seed: 0))
        let inner = try Loss.sum([(0.5, .standard(.mse)), (0.25, .regularization(0.3)), (9, .counterfactual)])
        let nested = try Loss.sum([(2, inner), (0.5, .consistency), (1, .standard(.mse)), (-4, inner)])
        let flat = try Loss.sum([(0, .standard(.mse)), (-0.5, .regularization(0.3)), (0.5, .consistency)])
        #expect(try abs(nested.evaluate(arguments).value - flat.evaluate(arguments).value) < 1e-14)
        #expect(try nested.evaluate(arguments).gradients.prediction == flat.evaluate(arguments).gradients.prediction)

        var deep = Loss.intervention(.mae)
        for _ in 0..<60_000 { deep = try .sum([(0.5, deep), (0.5, deep)]) }
        #expect(try deep.evaluate(arguments).value == Loss.intervention(.mae).evaluate(arguments).value)
        #expect(try Loss.sum([(1, .sum([]))]).evaluate(arguments).value == 0)

        #expect(throws: EngineError(.value, "sum of losses: a weight comes to inf, expected a finite number")) {
            for _ in 0..<2000 { deep = try .sum([(1, deep), (1, deep)]) }
        }
        #expect(throws: EngineError.self) { try Loss.sum([(.nan, .consistency)]) }
        #expect(throws: EngineError.self) { try Loss.sum([(1, .regularization(.infinity))]) }
    }

    @Test func consistencyIsZeroWhereNothingIsSet() throws {
        let found = try Loss.consistency.evaluate(Loss.Arguments<Double>(prediction: [[1, 2]], mask: [[false, false]], values: [[5, 5]]))
        #expect(found.value == 0 && found.gradients.prediction == [[0, 0]])
    }

    /// Everything is checked before anything is written, in the later terms of a sum too.
    @Test func gradientsAreLeftAloneWhereSomethingDoesNotFit() throws {
        let numbers = try Storage<Double>(count: 4, of: "numbers"), gradient = try Storage<Double>(count: 4, of: "gradient")
        let mask = try Storage<UInt8>(count: 3, of: "mask")
        numbers.pointer[3] = 9
        func view(_ rows: Int, _ columns: Int, from first: Int = 0) -> MatrixView<Double> { MatrixView(numbers.pointer + first, rows: rows, columns: columns) }
        var fitting = LossArguments(prediction: view(2, 2), target: view(2, 2))
        fitting.mask = MatrixView(UnsafePointer(mask.pointer), rows: 1, columns: 3)
        let refused: [(Loss, LossArguments<Double>)] = [
            (.standard(.mse), LossArguments(prediction: view(2, 2), target: view(1, 2))),
            (.standard(.crossEntropy), LossArguments(prediction: view(2, 2), target: view(2, 1, from: 2))),
            (.intervention(.crossEntropy), LossArguments(prediction: view(2, 2), target: view(2, 1, from: 2))),
            (.intervention(.mse), fitting), (.consistency, fitting), (.counterfactual, fitting), (.regularization(1), fitting),
            (try .sum([(1, .standard(.mse)), (1, try .sum([(1, .intervention(.mse))]))]), fitting),
        ]
        for (loss, arguments) in refused {
            for i in 0..<4 { gradient.pointer[i] = 7 }
            var targets = LossGradientTargets<Double>(), scratch: [Double] = []
            targets.prediction = gradient.pointer
            #expect(throws: EngineError.self, "\(loss)") { try loss.evaluate(arguments, into: targets, scratch: &scratch) }
            #expect(gradient.buffer.allSatisfy { $0 == 7 }, "\(loss)")
        }
    }

    @Test func errorsNameBothShapes() throws {
        #expect(throws: EngineError(.shape, "loss: prediction of shape (2, 1) against target of shape (1, 2), expected equal shapes")) {
            try Loss.standard(.mse).evaluate(Loss.Arguments<Double>(prediction: [[1], [2]], target: [[1, 2]]))
        }
        #expect(throws: EngineError(.shape, "intervention loss: losses (1, 2), mask (1, 3) cannot be broadcast together")) {
            try Loss.intervention(.mse).evaluate(Loss.Arguments<Double>(prediction: [[1, 2]], target: [[1, 2]], mask: [[true, true, false]]))
        }
        for bad in [3, -1, 0.5, Double.nan] {
            #expect { try Loss.standard(.crossEntropy).evaluate(Loss.Arguments<Double>(prediction: [[1, 2, 3]], target: [[bad]])) } throws: {
                ($0 as? EngineError)?.kind == .value
            }
        }
        #expect(throws: EngineError.self) { try Loss.standard(.mse).evaluate(Loss.Arguments<Double>(prediction: Matrix([]), target: Matrix([]))) }
        #expect { try Loss.consistency.evaluate(Loss.Arguments<Double>(prediction: [[1]])) } throws: { ($0 as? EngineError)?.kind == .missing }
    }
}
