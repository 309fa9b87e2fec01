internal import CausalKernels
internal import Glibc

/// One mechanism of one member of an ensemble as it learns: a network, the rows it learns from, and those held out.
final class MechanismLesson<Scalar: EngineScalar>: @unchecked Sendable {
    let variable: Int
    let mechanism: Mechanism
    let member: Int
    let law: NoiseLaw
    let model: Model<Scalar>
    let parameters: Parameters<Scalar>
    private let name: String
    private let teacher: any MechanismTeacher
    private let heldOut: Dataset<Scalar>?
    private let training: Dataset<Scalar>
    /// Why it has learned nothing, where that is so.
    private(set) var divergence: EngineError?

    /// - Parameters:
    ///   - rows: with repetitions; nil for all.
    ///   - isChoosing: whether it is a candidate, of which the rows held out will tell.
    init(_ v: Int, _ mechanism: Mechanism, _ description: StructuralDescription, _ data: StructuralDataset, rows: [Int]?,
         scales: [Standardisation], member: Int, isChoosing: Bool, options: StructuralTrainerOptions) throws(EngineError) {
        variable = v
        self.mechanism = mechanism
        self.member = member
        name = description.variables[v].name
        law = mechanism.noiseLaw(description.variables[v].kind)

        let usable = data.rowsFor(v, parents: description.parents[v])
        var sampled = usable
        if let rows {
            let isUsable = Set(usable)
            sampled = rows.filter(isUsable.contains)
            if sampled.isEmpty { sampled = usable }
        }
        // Repetitions of a row stay together, and so do the rows of a unit, so that none is learned and held out at once.
        var isUnit = [Bool](repeating: false, count: data.rows)
        for row in sampled { isUnit[data.unit(row)] = true }
        var order = isUnit.indices.filter { isUnit[$0] }
        let held = order.count < 20 ? 0 : Int(options.heldOut(rows: order.count, isChoosing: isChoosing, mechanism) * Double(order.count))
        let code = ParentCode(of: v, description, scales)
        if held == 0 {
            training = try data.examples(of: v, sampled, code, scales[v])
            heldOut = nil
        } else {
            var random = Random(seed: options.seed, purpose: .shuffling, index: (v * 1_000 + member) | 1 << 31)
            random.shuffle(&order)
            var isOut = [Bool](repeating: false, count: data.rows)
            for unit in order.prefix(held) { isOut[unit] = true }
            training = try data.examples(of: v, sampled.filter { !isOut[data.unit($0)] }, code, scales[v])
            heldOut = try data.examples(of: v, sampled.filter { isOut[data.unit($0)] }, code, scales[v])
        }

        let network = try mechanism.network(inputs: code.width, head: law.headWidth)
        model = try Model(network, ownsParameters: false)
        parameters = try Parameters(count: model.layout.count)
        let seed = options.seed &+ UInt64(v) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(member) &* 0xD1B5_4A32_D192_ED03
        guard mechanism.learnsByDescent else {
            do throws(EngineError) {
                teacher = try EvidenceTrainer(model, parameters, on: training, seed: seed)
            } catch {
                throw EngineError(error.kind, "mechanism of \(name): \(error.message)")
            }
            return
        }
        parameters.initialize(model.layout, seed: seed)
        var loss: Loss = switch law {
        case .additive: .standard(.mse)
        case .gumbel: .standard(.crossEntropy)
        case .locationScale, .spline: .likelihood(law)
        }
        // Loss is a sum, and stays the same one where there is nothing to add.
        if options.sparsity > 0 { try loss.add(options.sparsity, times: .parentSparsity(code.groups)) }
        if options.independence > 0, law.isInvertible { try loss.add(options.independence, times: .residualIndependence(law)) }
        if options.counterfactual > 0, law.isInvertible, training.twins != nil { try loss.add(options.counterfactual, times: .twinPrediction(law)) }
        let epochs = options.epochs(rows: training.x.rows)
        teacher = try Trainer(model, on: training, validation: heldOut, options: TrainerOptions(
            loss: loss, optimizer: OptimizerOptions(.adamW, learningRate: options.learningRate, weightDecay: options.weightDecay, clipNorm: 10),
            epochs: epochs, batchSize: options.batchSize(rows: training.x.rows),
            patience: heldOut == nil ? nil : max(1, Int(min((options.patience * Double(epochs)).rounded(.up), 0x1p53))), schedule: .cosine,
            seed: options.seed &+ UInt64(member)), parameters: parameters)
    }

    var isFinished: Bool { teacher.isFinished }

    /// 0 to 1.
    var progress: Double { teacher.progress }

    func run(until end: Double) throws(EngineError) {
        do throws(EngineError) {
            try teacher.run(until: end)
        } catch {
            let error = EngineError(error.kind, "mechanism of \(name): \(error.message)")
            if error.kind == .diverged { divergence = error }
            throw error
        }
    }

    func cancel() { teacher.cancel() }

    /// Of each row that was held out (where none was, that was learned from), with the noise of an additive law as wide as it is.
    func heldOutLikelihoods() throws(EngineError) -> [Double] {
        let rows = heldOut ?? training, width = law.headWidth
        let heads = try Storage<Scalar>(count: rows.x.rows * width, of: "heads")
        try model.predict(rows.x, under: nil, parameters: parameters, into: MutableMatrixView(heads.pointer, rows: rows.x.rows, columns: width))
        var likelihoods: [Double] = [], residuals: [Double] = [], head = [Double](repeating: 0, count: width)
        for row in 0..<rows.x.rows {
            for k in 0..<width { head[k] = Double(heads.pointer[row * width + k]) }
            let value = Double(rows.y.pointer[row])
            likelihoods.append(law.logDensity(head, value, gradient: nil))
            residuals.append(value - head[0])
        }
        guard law == .additive else { return likelihoods }
        let variance = max(residuals.reduce(0) { $0 + $1 * $1 } / Double(residuals.count), 1e-12)
        return residuals.map { -0.5 * ($0 * $0 / variance + log(2 * Double.pi * variance)) }
    }
}

extension StructuralDataset {
    /// Some rows as the network of one mechanism takes them.
    fileprivate func examples<Scalar: EngineScalar>(of variable: Int, _ rows: [Int], _ code: ParentCode, _ scale: Standardisation)
        throws(EngineError) -> Dataset<Scalar> {
        let x = try Storage<Scalar>(count: checkedSize(rows.count, code.width, of: "inputs"), of: "inputs")
        let y = try Storage<Scalar>(count: rows.count, of: "targets")
        let block = 256
        try withColumns(columns, rows: block, Double.self) { values throws(EngineError) in
            try withColumns(code.width, rows: block, Scalar.self) { codes throws(EngineError) in
                for first in stride(from: 0, to: rows.count, by: block) {
                    let chosen = rows[first..<min(first + block, rows.count)]
                    for parent in code.variables {
                        for (i, row) in chosen.enumerated() { values[parent][i] = value(row, parent) }
                        for i in chosen.count..<block { values[parent][i] = 0 }
                    }
                    code.encode(values, into: codes)
                    for (i, row) in chosen.enumerated() {
                        for k in 0..<code.width { x.pointer[(first + i) * code.width + k] = codes[k][i] }
                        y.pointer[first + i] = Scalar(scale.standard(value(row, variable)))
                    }
                }
            }
        }
        return Dataset(owning: x, columns: code.width, y, columns: 1, twins: try twins?.among(rows))
    }
}
