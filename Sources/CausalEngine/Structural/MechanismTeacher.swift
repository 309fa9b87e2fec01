/// What changes the numbers of a mechanism as it learns.
protocol MechanismTeacher: AnyObject {
    var isFinished: Bool { get }
    /// 0 to 1.
    var progress: Double { get }

    /// Goes on for about as long as is said.
    func run(until end: Double) throws(EngineError)
    /// Ends `run` from another thread.
    func cancel()
}

extension EvidenceTrainer: MechanismTeacher {}

extension Trainer: MechanismTeacher {
    var isFinished: Bool { state != .running }
    var progress: Double { isFinished ? 1 : Double(history.count) / Double(options.epochs) }
    func run(until end: Double) throws(EngineError) { try run(seconds: max(0, end - now())) }
}
