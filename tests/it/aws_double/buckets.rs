//! Objects, and the output of commands among them.

use reqwest::Method;

use super::signed::{Answer, Client, texts};
use super::*;
use crate::aws::{Bucket, Object};

async fn ask(client: &Client, method: Method, path: &str) -> Answer {
    client.send((method, path, "s3"), &[], Vec::new()).await
}

fn object(bucket: &Bucket, key: &str) -> Object {
    bucket.object(key).unwrap()
}

#[tokio::test]
async fn an_object_is_stored_as_it_was_sent() {
    let aws = Aws::start().await;
    let bucket = aws.home().bucket(TOKYO, "ams-evidence");
    let client = Client::new(&aws, aws.runner());
    let key = "/ams-evidence/PT4KHLK/2/%E6%A4%9C%E6%9F%BB%20%2B%3D1.txt";
    let headers = [("content-type", "text/plain"), ("x-amz-server-side-encryption", "AES256")];
    let body = vec![0xff, b'\n', 0x00, b'x'];
    let stored = client.send((Method::PUT, key, "s3"), &headers, body.clone()).await;
    assert_eq!(stored.0, 200);
    assert_eq!(bucket.keys(), ["PT4KHLK/2/検査 +=1.txt"]);
    let object = object(&bucket, "PT4KHLK/2/検査 +=1.txt");
    assert_eq!(
        (object.body.to_vec(), object.headers["x-amz-server-side-encryption"].as_str()),
        (body, "AES256")
    );
    assert_eq!(ask(&client, Method::HEAD, key).await.0, 200);
    let range = [("range", "bytes=1-1")];
    let part = client.send((Method::GET, key, "s3"), &range, Vec::new()).await;
    assert_eq!(part, (206, "\n".to_owned()));
    let range = [("range", "bytes=4-")];
    assert_eq!(client.send((Method::GET, key, "s3"), &range, Vec::new()).await.0, 416);
    assert_eq!(ask(&client, Method::DELETE, key).await.0, 204);
    let (status, told) = ask(&client, Method::GET, key).await;
    assert_eq!((status, texts(&told, "Code")), (404, vec!["NoSuchKey".to_owned()]));
}

#[tokio::test]
async fn a_bucket_opens_to_its_account_and_region() {
    let aws = Aws::start().await;
    let (mine, other) = (aws.account(CUSTOMER), aws.account("444455556666"));
    let bucket = mine.bucket(TOKYO, "acme-output");
    mine.bucket(OSAKA, "acme-osaka");
    let stranger = Client::new(&aws, other.keys());
    let refused = async |client: &Client, path: &str| {
        let (status, told) = ask(client, Method::GET, path).await;
        (status, texts(&told, "Code").join(","))
    };
    let told = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(refused(&stranger, "/acme-output/x").await, told(403, "AccessDenied"));
    bucket.shared_with("444455556666");
    assert_eq!(refused(&stranger, "/acme-output/x").await, told(404, "NoSuchKey"));
    let owner = Client::new(&aws, mine.keys());
    assert_eq!(refused(&owner, "/none/x").await, told(404, "NoSuchBucket"));
    assert_eq!(refused(&owner, "/acme-osaka/x").await, told(400, "AuthorizationHeaderMalformed"));
}

async fn long_output(site: &Site) -> Invocation {
    let sent = site.ssm.send_command().document_name("AWS-RunShellScript").instance_ids(WEB);
    let sent = sent.output_s3_bucket_name("acme-output").output_s3_key_prefix("ams");
    let commands = vec!["yes | head -c 100000; echo oops >&2".to_owned()];
    let sent = sent.parameters("commands", commands).send().await.unwrap();
    let id = sent.command().and_then(|command| command.command_id()).unwrap();
    site.end(id).await
}

#[tokio::test]
async fn the_whole_output_lies_in_the_bucket() {
    let site = Site::new().await;
    let bucket = site.account.bucket(TOKYO, "acme-output");
    let ended = long_output(&site).await;
    assert_eq!(told(&ended).2.len(), 24_000);
    wait::until("both streams", || bucket.keys().len() == 2).await;
    let url = ended.standard_output_url().unwrap();
    let path = url.strip_prefix("https://s3.ap-northeast-1.amazonaws.com").unwrap();
    let client = Client::new(&site.aws, site.account.keys());
    let (status, text) = ask(&client, Method::GET, path).await;
    assert_eq!((status, text.len()), (200, 100_000));
    let [sent] = site.host.commands().try_into().unwrap();
    let output = sent.output.unwrap();
    assert_eq!((output.bucket.as_str(), output.prefix.as_str()), ("acme-output", "ams"));
    assert_eq!(output.region, TOKYO);
    let key = format!("ams/{}/{WEB}/awsrunShellScript/0.awsrunShellScript/stderr", sent.id);
    assert_eq!(object(&bucket, &key).body, "oops\n");
}

#[tokio::test]
async fn an_output_may_come_later_or_never() {
    let site = Site::new().await;
    let bucket = site.account.bucket(TOKYO, "acme-output");
    site.host.uploads_after(Duration::from_hours(1));
    long_output(&site).await;
    site.host.uploads_after(ms(0)).cannot_upload();
    let ended = long_output(&site).await;
    assert!(ended.standard_output_url().unwrap().ends_with("/stdout"));
    assert_eq!(bucket.keys(), [""; 0]);
}
