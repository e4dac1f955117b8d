// An operator sees a fault before a user does: oldest message, dead letters, errors, throttles, ledger gap, losses. Each tells the alarm topic.
// Ten by default, which cost nothing in an account that has no others: what fails for good ends as a dead letter, whatever its cause. `--param alarms=all` makes those too that say so
// earlier, or say which function it is.
const FEW_AGES = ["Events", "Store"];
const FEW_ERRORS = ["dispatch", "api"];
const WORK = { Events: 300, Store: 300, Index: 900, Analysis: 7200 }; // seconds a message may wait
const FUNCTIONS = ["enrich", "store", "index-devices", "dispatch", "analyze", "authorize", "api"];

module.exports = async ({ resolveVariable }) => {
  const prefix = `${await resolveVariable("self:service")}-${await resolveVariable("sls:stage")}`;
  const hasTopic = (await resolveVariable("param:alarmTopic")) === "yes";
  const actions = hasTopic ? { AlarmActions: [{ Ref: "AlarmTopic" }], OKActions: [{ Ref: "AlarmTopic" }] } : {};
  const hasAll = (await resolveVariable("param:alarms")) === "all";
  const alarm = (name, AlarmDescription, metric) => ({
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: `${prefix}-${name}`,
      AlarmDescription,
      Period: 300,
      EvaluationPeriods: 1,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "notBreaching",
      ...metric,
      ...actions,
    },
  });
  const queue = (name, MetricName, Statistic, Threshold) => ({
    Namespace: "AWS/SQS",
    MetricName,
    Statistic,
    Threshold,
    Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": [name, "QueueName"] } }],
  });
  const lambda = (name, MetricName) => ({
    Namespace: "AWS/Lambda",
    MetricName,
    Statistic: "Sum",
    Threshold: 0,
    Dimensions: [{ Name: "FunctionName", Value: `${prefix}-${name}` }],
  });

  const Resources = {};
  for (const [name, seconds] of Object.entries(WORK)) {
    const lower = name.toLowerCase();
    if (hasAll || FEW_AGES.includes(name))
      Resources[`${name}AgeAlarm`] = alarm(
        `${lower}-age`,
        `The oldest message of the ${lower} queue has waited for more than ${seconds} s: its function fails or is too slow.`,
        queue(`${name}Queue`, "ApproximateAgeOfOldestMessage", "Maximum", seconds),
      );
    Resources[`${name}DeadAlarm`] = alarm(
      `${lower}-dead`,
      `Messages of the ${lower} queue were set aside: "hearthline queues peek ${lower}-dead" shows why, "queues redrive" puts them back.`,
      queue(`${name}DeadQueue`, "ApproximateNumberOfMessagesVisible", "Maximum", 0),
    );
  }
  for (const name of FUNCTIONS) {
    const id = name.replace(/(^|-)([a-z])/g, (_all, _dash, letter) => letter.toUpperCase());
    if (hasAll || FEW_ERRORS.includes(name))
      Resources[`${id}ErrorsAlarm`] = alarm(
        `${name}-errors`,
        `The function ${name} ended with an error.`,
        lambda(name, "Errors"),
      );
    if (!hasAll) continue;
    Resources[`${id}ThrottlesAlarm`] = alarm(
      `${name}-throttles`,
      `The function ${name} was not started for want of concurrency.`,
      lambda(name, "Throttles"),
    );
  }
  Resources.LedgerGapAlarm = alarm(
    "ledger-gap",
    "Sequence numbers of a relay are missing and have not come for 15 minutes: events may be lost.",
    // enrich counts a gap only once it is that old. The highest of a period: the lowest would be that of any relay that is whole.
    {
      Namespace: "Hearthline",
      MetricName: "LedgerGap",
      Statistic: "Maximum",
      Threshold: 0,
      Dimensions: [{ Name: "function", Value: "enrich" }],
    },
  );
  Resources.EventsLostAlarm = alarm(
    "events-lost",
    'A relay had to give events up before they reached the cloud (its disk is full, or it was away for longer than its spool lasts): "hearthline status" says which and why.',
    {
      Namespace: "Hearthline",
      MetricName: "EventsLost",
      Statistic: "Sum",
      Threshold: 0,
      Dimensions: [{ Name: "function", Value: "enrich" }],
    },
  );
  if (hasTopic)
    Resources.AlarmTopic = {
      Type: "AWS::SNS::Topic",
      Properties: { TopicName: `${prefix}-alarms`, KmsMasterKeyId: "alias/aws/sns" },
    };
  return { Resources, ...(hasTopic && { Outputs: { AlarmTopicArn: { Value: { Ref: "AlarmTopic" } } } }) };
};
