// The four queues, each with its dead-letter queue. Read by serverless.yml, and by the embedded stack, which makes the same ones.
//
// Visibility: AWS asks for at least six times the function's time-out, so that a batch that is being tried again is not handed out twice.
// maxReceiveCount 5: a message that failed five times is set aside. Dead letters are kept for 14 days, the longest SQS keeps anything.
const QUEUES = { Events: "enrich", Store: "store", Index: "index-devices", Analysis: "analyze" };
const DAY_SECONDS = 86_400;

module.exports = async ({ resolveVariable }) => {
  const prefix = await resolveVariable("self:custom.prefix");
  const visibilityFactor = Number(await resolveVariable("param:visibilityFactor"));
  const Resources = {};
  const Outputs = {};
  for (const [name, functionName] of Object.entries(QUEUES)) {
    const timeoutSeconds = Number(await resolveVariable(`self:functions.${functionName}.timeout`));
    Resources[`${name}Queue`] = {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: `${prefix}-${name.toLowerCase()}`,
        VisibilityTimeout: timeoutSeconds * visibilityFactor,
        MessageRetentionPeriod: 14 * DAY_SECONDS,
        ReceiveMessageWaitTimeSeconds: 20,
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": [`${name}DeadQueue`, "Arn"] }, maxReceiveCount: 5 },
      },
    };
    Resources[`${name}DeadQueue`] = {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: `${prefix}-${name.toLowerCase()}-dead`,
        MessageRetentionPeriod: 14 * DAY_SECONDS,
        SqsManagedSseEnabled: true,
      },
    };
    Outputs[`${name}QueueUrl`] = { Value: { Ref: `${name}Queue` } };
  }
  return { Resources, Outputs };
};
